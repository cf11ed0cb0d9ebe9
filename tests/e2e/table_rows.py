"""All rows that a home holds of one connector, and how two sets of them differ.

Two homes that went different ways to the same state must hold the same rows. What may differ for every connector: the
times of writing, the numbers of raw rows (a reference to one is compared by the item it stands for) and the page that
an item was found on. What else may is said by the connector's own class, made from `TableRows`.
"""

import json
import re

from conftest import ROOT

TABLE = re.compile(r"create table (\w+) \((.*?)\n\)([^;]*);", re.S)
KEY = re.compile(r"primary key \(([^)]*)\)")
RAW = re.compile(r"^    raw: (\w+)$", re.M)
TIMES = ("created_at", "updated_at")
FROM_RAW = ("_raw_data_params", "_raw_data_table", "_raw_data_id")


class Table:
    def __init__(self, name, body, words):
        found = KEY.search(body)
        self.name = name
        self.key = [column.strip() for column in found.group(1).split(",")] if found else None
        self.shared = "shared" in words


def read_tables(connector):
    """Declared tables that hold collected rows, by name."""
    text = (ROOT / "schema" / "domain.sql").read_text() + (ROOT / "connectors" / connector / "tables.sql").read_text()
    tables = {name: Table(name, body, words.split()) for name, body, words in TABLE.findall(text)}
    # These two are settings; they live in the other store.
    return {name: table for name, table in tables.items() if table.key and not name.endswith(("_connections", "_scope_configs"))}


def read_raw_tables(connector):
    return list(dict.fromkeys(RAW.findall((ROOT / "connectors" / connector / "connector.yaml").read_text())))


class TableRows(dict):
    """table -> key -> row, the rows as they are stored."""

    tables = {}       # name -> Table
    raw_tables = []
    left_out = {}     # table -> columns that may differ

    def __init__(self, tarn):
        super().__init__({name: {} for name in (*self.raw_tables, *self.tables)})
        selects = [f"select '{name}' as name, cast(to_json(x) as varchar) as found from {name} x" for name in self]
        for line in tarn.query(" union all ".join(selects)):
            row = json.loads(line["found"])
            key = self.key_of(line["name"], row)
            assert key not in self[line["name"]], f"two rows of {line['name']} with key {key}"
            self[line["name"]][key] = row

    def key_of(self, name, row):
        return tuple(row[column] for column in (self.tables[name].key if name in self.tables else ("params", "_tarn_item")))

    def own_part(self, _name, data):
        """A payload without what may differ, such as copies of other items in it."""
        return data

    def written_since(self, before):
        """table -> keys of rows that are new, gone or not as before in any column."""
        return {name: keys for name in self
                if (keys := {key for key in self[name].keys() | before[name].keys()
                             if self[name].get(key) != before[name].get(key)})}

    def comparable(self):
        """The same with what may differ between two homes taken out."""
        items = {(name, row["id"]): row["_tarn_item"] for name in self.raw_tables for row in self[name].values()}
        return {name: {key: self.without_chance(name, row, items) for key, row in rows.items()} for name, rows in self.items()}

    def without_chance(self, name, row, items):
        if name in self.raw_tables:
            return {"data": self.own_part(name, json.loads(row["data"])), "input": row["input"]}
        left_out = (*TIMES, *self.left_out.get(name, ()))
        row = {column: value for column, value in row.items() if column not in left_out}
        if self.tables[name].shared:
            # Several items yield such a row; which of them was the last to do so depends on when each was read.
            return {column: value for column, value in row.items() if column not in FROM_RAW}
        if row.get("_raw_data_table") in self.raw_tables:
            item = items.get((row["_raw_data_table"], row["_raw_data_id"]))
            assert item is not None, f"{name}: {row['_raw_data_table']} has no row {row['_raw_data_id']}"
            row["_raw_data_id"] = item
        return row


def assert_origins(rows, params):
    """Every row says that it comes from these params, and from a raw row that is there."""
    held = {(name, row["id"]) for name in rows.raw_tables for row in rows[name].values()}
    for name, found in rows.items():
        for key, row in found.items():
            assert row.get("_raw_data_params", row.get("params", params)) == params, (name, key)
            if row.get("_raw_data_table") in rows.raw_tables:
                assert (row["_raw_data_table"], row["_raw_data_id"]) in held, (name, key)


def differences(got, want, most=12):
    """What differs between two comparable sets, one line each; an empty list where nothing does."""
    lines = []
    for name in want:
        for key in sorted(got[name].keys() | want[name].keys(), key=repr):
            mine, other = got[name].get(key), want[name].get(key)
            if mine is None or other is None:
                lines.append(f"{name} {key}: {'missing' if mine is None else 'too many'}")
            elif mine != other:
                lines += [f"{name} {key}.{column}: {short(mine.get(column))} instead of {short(other.get(column))}"
                          for column in mine.keys() | other.keys() if mine.get(column) != other.get(column)]
    return lines[:most] + ([f"... {len(lines) - most} more"] if len(lines) > most else [])


def short(value):
    text = repr(value)
    return text if len(text) < 120 else text[:120] + "..."


def assert_rows(rows, want):
    """The rows are those of `want`, a comparable set."""
    found = differences(rows.comparable(), want)
    assert not found, "\n".join(found)
