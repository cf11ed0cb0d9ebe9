"""The statements of DevLake's dashboards give the same rows on Tarn's tables as on DevLake's own, both with the same rows in them.

Statements and DevLake's schema are not part of this repository: SHARED names their folder. What is printed are panels, never SQL.
"""

import collections
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import made_rows
from old_instances import ROOT, USER, Served, Tarn, load, mariadb, program  # noqa: F401

SHARED = Path(os.environ.get("SHARED", ROOT.parent / "shared"))
PANELS, RENDERER, SCHEMA = SHARED / "grafana" / "panels.jsonl", SHARED / "grafana" / "render_panels.py", SHARED / "reference" / "apache-schema.sql"
pytestmark = pytest.mark.skipif(not all(path.is_file() for path in (PANELS, RENDERER, SCHEMA)),
                                reason=f"no dashboards in {SHARED} (SHARED names another folder)")

# Panels whose rows change from run to run on the same data: ties, cut at the top (../shared/reference/dashboards.md, section 7).
TIES = {("AzureDevOps.json", 59), ("BitBucket.json", 59), ("GitHub.json", 59), ("DemoCommitCountByAuthor.json", 50), ("WeeklyCommunityRetro.json", 40)}
SAME_ROWS = ("calendar_months", "dora_benchmarks")  # of the home itself


def columns(server, database):
    out = collections.defaultdict(list)
    for table, name, kind, length in server.rows(database, "select table_name, column_name, data_type, coalesce(character_maximum_length, 0) from "
                                                           "information_schema.columns where table_schema = database() order by 1, ordinal_position"):
        out[table].append((name, kind, int(length)))
    return out


def literal(value):
    return "null" if value is None else str(value) if isinstance(value, (int, float)) else "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def fill(server, database, tables):
    script = ["set session time_zone = '+00:00';"]
    for table, (names, rows) in tables.items():
        values = ",\n".join("(" + ", ".join(literal(row[name]) for name in names) + ")" for row in rows)
        script.append(f"insert ignore into `{table}` ({', '.join(f'`{name}`' for name in names)}) values {values};")
    load(server, database, "\n".join(script).encode())


def render(server, folder, database, *arguments):
    out = folder / f"{database}.jsonl"
    client = f"mariadb --no-defaults --socket={server.folder}/socket -uroot"
    done = subprocess.run([sys.executable, str(RENDERER), str(PANELS), "-o", str(out), "--db", database, "--client", client, "--now", made_rows.NOW, "--from", "now-6M",
                           "--to", "now", "--run", *arguments], capture_output=True, text=True, timeout=900)
    assert out.is_file(), done.stderr[-2000:]
    return [json.loads(line) for line in out.read_text().splitlines()]


@pytest.fixture(scope="module")
def answers(program, mariadb, tmp_path_factory):  # noqa: F811
    folder = tmp_path_factory.mktemp("grafana")
    tarn = Tarn(program, folder / "home")
    tarn.environment |= {"DB_URL": mariadb.make_database("ours"), "ENCRYPTION_SECRET": "any"}
    Served(tarn).stop()  # makes its tables
    mariadb.admin("create database theirs character set utf8mb4 collate utf8mb4_bin")
    load(mariadb, "theirs", SCHEMA.read_bytes())
    ours, theirs = columns(mariadb, "ours"), columns(mariadb, "theirs")
    tables = {}
    for table in sorted(set(ours) & set(theirs)):
        if table.startswith("_") or table in SAME_ROWS:
            continue
        names = [column[0] for column in ours[table]]
        tables[table] = (names, made_rows.rows_of(table, [column for column in theirs[table] if column[0] in names]))
        tables[table] = ([name for name in names if name in tables[table][1][0]], tables[table][1])
    for database in ("ours", "theirs"):
        fill(mariadb, database, tables)
    for table in SAME_ROWS:
        mariadb.admin(f"insert into theirs.{table} select {', '.join(column[0] for column in theirs[table])} from ours.{table}")
    used = folder / "variables.json"
    reference = render(mariadb, folder, "theirs", "--save-vars", str(used))
    return set(theirs) - set(ours), reference, render(mariadb, folder, "ours", "--vars", str(used))


def name(line):
    return f"{line['file']} {line.get('panel_id')} {line.get('ref_id') or line.get('name') or ''}".strip()


def test_domain_tables_are_the_same(program, mariadb, tmp_path):  # noqa: F811
    """Each column of DevLake's domain layer is there."""
    tarn = Tarn(program, tmp_path / "home")
    tarn.environment |= {"DB_URL": mariadb.make_database("columns_ours"), "ENCRYPTION_SECRET": "any"}
    Served(tarn).stop()
    mariadb.admin("create database columns_theirs character set utf8mb4 collate utf8mb4_bin")
    load(mariadb, "columns_theirs", SCHEMA.read_bytes())
    ours, theirs = columns(mariadb, "columns_ours"), columns(mariadb, "columns_theirs")
    missing = [f"{table}.{column[0]}" for table in theirs if not table.startswith("_")
               for column in theirs[table] if column[0] not in {one[0] for one in ours.get(table, [])}]
    assert not missing, "\n".join(missing)


def test_statements_give_the_same_rows(answers):
    missing_tables, reference, ours = answers
    assert len(reference) == len(ours) == len(PANELS.read_text().splitlines())
    counts, found = collections.Counter(), []
    for want, have in zip(reference, ours):
        assert name(want) == name(have)
        one, other = want["run"], have["run"]
        of_others = any(re.search(rf"\b{table}\b", want["sql"]) for table in missing_tables)
        if of_others:
            counts["of tables that Tarn does not have"] += 1
        elif not one["ok"]:
            counts["refused by both" if not other["ok"] else "refused by DevLake's only"] += 1
        elif not other["ok"]:
            found.append(f"{name(want)}: error {other['error_no']}")
        elif one["columns"] != other["columns"] or one["rows"] != other["rows"]:
            found.append(f"{name(want)}: {other['rows']} rows instead of {one['rows']}")
        elif one["sha256_sorted"] != other["sha256_sorted"] and (want["file"], want.get("panel_id")) not in TIES:
            found.append(f"{name(want)}: other values")
        else:
            counts["the same rows" if one["rows"] else "no row in both"] += 1
    print(dict(counts))
    assert not found, f"{dict(counts)}, {len(found)} differ:\n" + "\n".join(found)
    # So that a change of the made rows does not leave the charts empty unseen.
    assert counts["the same rows"] > 400, dict(counts)
