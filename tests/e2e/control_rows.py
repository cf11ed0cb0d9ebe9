"""Rows of the control store, read and written beside the running server: what no route of ours writes, and what none shows."""

import contextlib
import sqlite3
import time


def literal(value):
    if value is None:
        return "null"
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


def run(tarn, sql, *values):
    """One statement in the SQL that all stores share; its rows."""
    if tarn.database:
        first, *rest = sql.split("?")
        return tarn.database.rows(first + "".join(literal(value) + part for value, part in zip(values, rest, strict=True)))
    for attempt in range(50):
        try:
            with contextlib.closing(sqlite3.connect(tarn.home / "control.sqlite", timeout=10)) as store, store:
                return store.execute(sql, values).fetchall()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or attempt == 49:
                raise
            time.sleep(0.1)


def everything(tarn):
    """Every row of the store, but for stamps."""
    if tarn.database:
        return tarn.database.everything(but=("_tarn_stamps",))
    tables = [name for name, in run(tarn, "select name from sqlite_master where type = 'table' order by name") if name != "_tarn_stamps"]
    return {table: run(tarn, f'select * from "{table}"') for table in tables}


def add_blueprint(tarn, name, project="", mode="NORMAL", connections=(), scopes=()):
    """`connections`: (plugin, id); `scopes`: (plugin, connection id, scope id)."""
    made = run(tarn, "insert into _devlake_blueprints (name, project_name, mode, enable, is_manual, cron_config) "
                     "values (?, ?, ?, true, false, '0 0 * * *') returning id", name, project, mode)
    blueprint = int(made[0][0])
    for plugin, connection in connections:
        run(tarn, "insert into _devlake_blueprint_connections (blueprint_id, plugin_name, connection_id) values (?, ?, ?)", blueprint, plugin, connection)
    for plugin, connection, scope in scopes:
        run(tarn, "insert into _devlake_blueprint_scopes (blueprint_id, plugin_name, connection_id, scope_id) values (?, ?, ?, ?)",
            blueprint, plugin, connection, str(scope))
    return blueprint


def drop_blueprints(tarn):
    for table in ("_devlake_blueprints", "_devlake_blueprint_connections", "_devlake_blueprint_scopes"):
        run(tarn, f"delete from {table}")
