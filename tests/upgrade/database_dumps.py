"""Logical dumps of MariaDB and PostgreSQL databases, to be compared: how each table is made, and its rows.

A row is a tuple of texts; None is NULL. How a table is made leaves out the next number of an auto-increment column.
"""

import re
import subprocess
from dataclasses import dataclass, field

MARK = "\x01table\x01"


@dataclass
class Table:
    made: str = ""
    columns: list = field(default_factory=list)
    key: list = field(default_factory=list)
    rows: list = field(default_factory=list)  # sorted

    def dicts(self):
        return [dict(zip(self.columns, row)) for row in self.rows]


def _client(server, database):
    if server.engine == "mysql":
        return ["mariadb", "--no-defaults", f"--socket={server.folder}/socket", "-uroot", "-N", "-B", "--binary-mode",
                "--default-character-set=utf8mb4", database]
    return ["/usr/lib/postgresql/15/bin/psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", str(server.folder),
            "-p", str(server.port), "-U", "admin", database]


def ask(server, database, sql):
    """The client's raw output, one line per row."""
    done = subprocess.run(_client(server, database), input=sql.encode("utf-8", "surrogateescape"), capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[:2000]
    return done.stdout.decode("utf-8", "surrogateescape").split("\n")[:-1]


UNESCAPES = {"n": "\n", "t": "\t", "0": "\0", "Z": "\x1a", "\\": "\\", "'": "'", "r": "\r"}


def _unescaped(text):
    return re.sub(r"\\(.)", lambda found: UNESCAPES.get(found[1], found[1]), text, flags=re.S) if "\\" in text else text


def _mysql_cell(text):
    """Of `quote(column)` as the client prints it in batch mode."""
    text = _unescaped(text)
    return None if text == "NULL" else _unescaped(text[1:-1])


def _mysql(server, database, want):
    columns, keys = {}, {}
    for line in ask(server, database, "select table_name, column_name, column_key from information_schema.columns where table_schema = database() "
                                      "order by table_name, ordinal_position;"):
        table, column, key = line.split("\t")
        columns.setdefault(table, []).append(column)
        if key == "PRI":
            keys.setdefault(table, []).append(column)
    names = sorted(name for name in columns if want(name))
    script = ["set time_zone = '+00:00';"]
    for name in names:
        cells = ", ".join(f"quote(`{column}`)" for column in columns[name])
        script.append(f"select '{MARK}{name}'; show create table `{name}`; select {cells} from `{name}`;")
    tables, current = {}, None
    for line in ask(server, database, "\n".join(script)):
        if line.startswith(MARK):
            current = tables[line[len(MARK):]] = Table(columns=columns[line[len(MARK):]], key=keys.get(line[len(MARK):], []))
        elif not current.made:
            current.made = re.sub(r" AUTO_INCREMENT=\d+", "", _unescaped(line.split("\t", 1)[1]))
        else:
            current.rows.append(tuple(_mysql_cell(cell) for cell in line.split("\t")))
    return tables


def _postgres(server, database, want):
    columns, made = {}, {}
    for line in ask(server, database, "select table_name, column_name, data_type, coalesce(character_maximum_length, 0), is_nullable from "
                                      "information_schema.columns where table_schema = 'public' order by table_name, ordinal_position;"):
        table, column, *kind = line.split("\t")
        columns.setdefault(table, []).append(column)
        made.setdefault(table, []).append(f"{column} {' '.join(kind)}")
    for line in ask(server, database, "select tablename, indexdef from pg_indexes where schemaname = 'public' order by 1, 2;"):
        table, index = line.split("\t")
        made.get(table, []).append(index)
    keys = {}
    for line in ask(server, database, "select c.relname, a.attname from pg_index i join pg_class c on c.oid = i.indrelid join pg_attribute a on "
                                      "a.attrelid = i.indrelid and a.attnum = any(i.indkey) where i.indisprimary order by c.relname, a.attnum;"):
        table, column = line.split("\t")
        keys.setdefault(table, []).append(column)
    names, script = sorted(name for name in columns if want(name)), ["set time zone 'UTC';"]
    for name in names:
        cells = " || E'\\t' || ".join(f"replace(replace(replace(coalesce('=' || \"{column}\"::text, ''), E'\\\\', E'\\\\\\\\'), E'\\n', "
                                      f"E'\\\\n'), E'\\t', E'\\\\t')" for column in columns[name])
        script.append(f"select '{MARK}{name}'; select {cells} from \"{name}\";")
    tables, current = {}, None
    for line in ask(server, database, "\n".join(script)):
        if line.startswith(MARK):
            name = line[len(MARK):]
            current = tables[name] = Table("\n".join(made[name]), columns[name], keys.get(name, []), [])
        else:
            current.rows.append(tuple(None if cell == "" else _unescaped(cell[1:]) for cell in line.split("\t")))
    return tables


def dump(server, database, want=lambda name: True):
    """name -> Table."""
    tables = (_mysql if server.engine == "mysql" else _postgres)(server, database, want)
    for table in tables.values():
        table.rows.sort(key=lambda row: tuple((cell is not None, cell or "") for cell in row))
    return tables


def differences(left, right, ignored=lambda name: False, columns_ignored=lambda table, column: False):
    """What is not the same in two dumps: tables and columns, no values."""
    found = []
    for name in sorted({*left, *right}):
        if ignored(name):
            continue
        one, other = left.get(name), right.get(name)
        if one is None or other is None:
            found.append(f"{name}: only in the {'second' if one is None else 'first'}")
            continue
        if one.made != other.made:
            lines = [set(table.made.splitlines()) for table in (one, other)]
            found.append(f"{name}: made otherwise: {sorted(lines[0] ^ lines[1])[:4]}" if lines[0] != lines[1] else f"{name}: columns in another order")
        kept = [column for column in one.columns if column in other.columns and not columns_ignored(name, column)]
        rows = [sorted((tuple(row[column] for column in kept) for row in table.dicts()), key=repr) for table in (one, other)]
        if len(rows[0]) != len(rows[1]):
            found.append(f"{name}: {len(rows[0])} rows, then {len(rows[1])}")
        elif rows[0] != rows[1]:
            odd = sorted({kept[at] for one_row, other_row in zip(*rows) for at in range(len(kept)) if one_row[at] != other_row[at]})
            found.append(f"{name}: other rows, in {', '.join(odd)}")
    return found
