"""Rows of the control store that no route of ours writes yet (blueprints, projects), written beside the running server."""

import sqlite3
import time


def run(tarn, sql, *values):
    for attempt in range(50):
        try:
            with sqlite3.connect(tarn.home / "control.sqlite", timeout=10) as store:
                return store.execute(sql, values).lastrowid
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or attempt == 49:
                raise
            time.sleep(0.1)


def add_blueprint(tarn, name, project="", mode="NORMAL", connections=(), scopes=()):
    """`connections`: (plugin, id); `scopes`: (plugin, connection id, scope id)."""
    blueprint = run(tarn, "insert into _devlake_blueprints (name, project_name, mode, enable, is_manual, cron_config) "
                          "values (?, ?, ?, 1, 0, '0 0 * * *')", name, project, mode)
    for plugin, connection in connections:
        run(tarn, "insert into _devlake_blueprint_connections values (?, ?, ?)", blueprint, plugin, connection)
    for plugin, connection, scope in scopes:
        run(tarn, "insert into _devlake_blueprint_scopes (blueprint_id, plugin_name, connection_id, scope_id) values (?, ?, ?, ?)",
            blueprint, plugin, connection, str(scope))
    return blueprint


def drop_blueprints(tarn):
    for table in ("_devlake_blueprints", "_devlake_blueprint_connections", "_devlake_blueprint_scopes"):
        run(tarn, f"delete from {table}")
