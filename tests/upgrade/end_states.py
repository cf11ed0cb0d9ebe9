"""What an upgraded database must hold: the comparison with what the reference's own upgrade made, and the search for lost rows."""

import json
import re

from database_dumps import Table, differences
from old_instances import connectors, is_of_connector
from secret_cells import decrypt, is_secret

# What DevLake keeps for itself, and the rows of which say when something ran.
NOT_COMPARED = {"_devlake_migration_history", "_devlake_locking_history", "_devlake_locking_stub", "_devlake_collector_latest_state",
                "_devlake_subtasks", "_devlake_subtask_states",
                # Tells the day on which it was made: test_months_and_benchmarks.
                "calendar_months"}

# Differences from what the reference made that are wanted: release, table, column, why. Patterns match the whole name.
ALLOWED = [
    (".*", "_devlake_tasks", "updated_at", "the reference's scripts rewrite the rows and set the time"),
    (".*", "_devlake_tasks", "subtasks", "the JSON text null and NULL say the same"),
    (".*", "_devlake_api_keys", "api_key|creator|updater|created_at|updated_at", "a webhook's new key is random, its creator is who upgraded"),
    (".*", "project_metric_settings", "plugin_option", "the reference empties it to {}; what stands there stays"),
    (".*", "_tool_jira_scope_configs", "remotelink_repo_pattern", "the reference clears the text null"),
    (".*", ".*", "_raw_data_params|_raw_data_table", "the reference marks scopes by a short name; a run marks them by their full one"),
    (".*", "refs", "updated_at", "the reference's scripts rewrite the rows and set the time"),
    (".*", "dora_benchmarks", "created_at|updated_at", "made at the upgrade"),
    ("v0.1[2-9].*", "_devlake_blueprints", "mode", "of the first form of settings the reference keeps no scopes: its next run collects nothing"),
    ("v0.1[5-9].*", "_devlake_blueprints", "before_plan|after_plan", "the reference writes them in plain text, which it cannot read"),
    ("v0.1[2-3].*", "_devlake_(blueprints|pipelines)", "updated_at", "the reference's scripts rewrite the rows and set the time"),
    ("v0.1[2-4].*", "_tool_jenkins_builds", "full_display_name", "the reference takes it away"),
    ("v0.10.*", "_devlake_blueprints", "created_at|updated_at", "the reference's scripts rewrite the rows and set the time"),
    ("v0.10.*", "_devlake_blueprints", "plan", "the reference leaves sourceId in old plans; test_old_plans looks at ours"),
    ("v0.10.*", "_devlake_pipelines", "created_at|updated_at|plan", "as in blueprints"),
    ("v0.10.*", "_devlake_pipelines", "total_tasks", "the reference loses the number"),
    ("v0.10.*", "_devlake_tasks", "status", "the reference's next start fails tasks that never began"),
    ("v0.10.*", "_tool_.*_connections", "created_at|updated_at|rate_limit_per_hour", "made at the upgrade"),
    ("v0.10.*", "_tool_jira_connections", "epic_key_field|story_point_field|remotelink_commit_sha_pattern", "the reference drops them"),
    ("v0.10.*", "_tool_jenkins_connections", "password", "the reference cuts it at a '#'; test_secrets looks at ours"),
    ("v0.10.*", "_tool_github_connections", "token|enable_graphql|auth_method", "the reference stores it in plain text; test_secrets looks at ours"),
]


def allowed(release, table, column):
    return any(re.fullmatch(of, release) and re.fullmatch(tables, table) and re.fullmatch(columns, column) for of, tables, columns, _ in ALLOWED)


def value(key, table, column, text):
    """A cell as it can be compared: opened where it is a secret, JSON without its spaces."""
    if text is None:
        return None
    if is_secret(table, column):
        if text.startswith("\\x"):  # PostgreSQL's bytes
            text = bytes.fromhex(text[2:]).decode()
        opened = decrypt(key, text)
        if opened is None:
            return f"not opened: {text}" if text else None
        text = opened
        if text in ("", "null"):
            return None  # no value
    if text[:1] in "[{":
        try:
            return json.dumps(json.loads(text), sort_keys=True)
        except ValueError:
            pass
    return text


def opened(dump, key):
    """The same dump with comparable cells."""
    out = {}
    for name, table in dump.items():
        rows = table.rows
        if any(is_secret(name, column) for column in table.columns):
            rows = sorted((tuple(value(key, name, column, cell) for column, cell in zip(table.columns, row)) for row in rows), key=repr)
        out[name] = Table(table.made, table.columns, table.key, rows)
    return out


# What the reference writes for a NULL where it copies a table row by row.
NOTHING = {None, "", "0"}


def not_of_reference(release, key, reference, upgraded):
    """Where the upgraded database has not what the reference's upgrade kept or made; tables, columns and numbers of rows."""
    ours = connectors()
    found = []
    for name, want in sorted(reference.items()):
        other_connector = name.startswith(("_tool_", "_raw_")) and not is_of_connector(name, ours)
        if not want.rows or name in NOT_COMPARED or name.startswith("_tarn_") or other_connector:
            continue
        have = upgraded.get(name)
        if have is None:
            found.append(f"{name}: not there, the reference has {len(want.rows)} rows")
            continue
        rows = {tuple(row[column] for column in want.key): row for row in have.dicts()} if set(want.key) <= set(have.columns) else {}
        if not want.key:
            if len(have.rows) != len(want.rows):
                found.append(f"{name}: {len(have.rows)} rows, the reference has {len(want.rows)}")
            continue
        missing, odd = 0, {}
        for row in want.dicts():
            mine = rows.get(tuple(row[column] for column in want.key))
            if mine is None:
                missing += 1
                continue
            for column, text in row.items():
                wanted = value(key, name, column, text)
                if column not in mine:
                    if wanted is not None:
                        odd[f"{column} (no such column)"] = odd.get(f"{column} (no such column)", 0) + 1
                elif value(key, name, column, mine[column]) != wanted and (mine[column] is not None or wanted not in NOTHING):
                    odd[column] = odd.get(column, 0) + 1
        if missing:
            found.append(f"{name}: {missing} of {len(want.rows)} rows of the reference are not there")
        if len(have.rows) > len(want.rows) - missing:
            more = len(have.rows) - len(want.rows) + missing
            found.append(f"{name}: {more} rows that the reference has not")
        found += [f"{name}.{column}: differs in {count} rows" for column, count in odd.items() if not allowed(release, name, column.split()[0])]
    return found


RENAMED = {"project_metrics": "project_metric_settings", "project_issue_metrics": "project_incident_deployment_relationships",
           "finished_commits_diffs": "_tool_refdiff_finished_commits_diffs", "cicd_pipeline_repos": "cicd_pipeline_commits",
           "_tool_jira_sources": "_tool_jira_connections"}


def newest_name(table):
    return RENAMED.get(table, table.replace("_transformation_rules", "_scope_configs"))


# Keys that the upgrade changes: only the numbers of rows can be compared.
NEW_KEYS = {"commit_files", "commit_file_components", "_tool_jenkins_jobs"}
# A connector's rows are forgotten where a table of it was set aside, so that its next run collects all.
FORGOTTEN = {"_devlake_collector_latest_state"}


def lost_rows(before, upgraded):
    """Tables whose old rows are neither in the table nor set aside."""
    found = []
    for name, old in before.items():
        if not old.rows or name in FORGOTTEN:
            continue
        kept = f"_tarn_old_{newest_name(name)}" if f"_tarn_old_{newest_name(name)}" in upgraded else f"_tarn_old_{name}"
        if kept in upgraded:
            if len(upgraded[kept].rows) != len(old.rows):
                found.append(f"{name}: {len(old.rows)} rows, {kept} has {len(upgraded[kept].rows)}")
            continue
        now = upgraded.get(newest_name(name)) or upgraded.get(name)
        if now is None:
            found.append(f"{name}: {len(old.rows)} rows are gone")
            continue
        key = [] if name in NEW_KEYS else [column for column in old.key if column in now.columns]
        rows = {tuple(row[column] for column in key) for row in now.dicts()}
        missing = sum(tuple(row[column] for column in key) not in rows for row in old.dicts())
        if missing or len(now.rows) < len(old.rows):
            found.append(f"{name}: {max(missing, len(old.rows) - len(now.rows))} of {len(old.rows)} rows are gone")
    return found


# What two upgrades of the same database may differ in.
OF_THE_MOMENT = {"created_at", "updated_at", "api_key"}


def state_differences(one, other, key):
    """Of two end states: what is made at random or tells the time is left out, so is the order of columns."""
    def bookkeeping(name):
        return name.startswith("_tarn_") and not name.startswith("_tarn_old_")
    found = differences(opened(one, key), opened(other, key), bookkeeping, lambda table, column: column in OF_THE_MOMENT)
    return [text for text in found if not text.endswith("columns in another order")]
