"""Jira's rows. Beside what may always differ between two homes: the copies of other things in a payload (people, statuses,
sprints, linked issues), as Jira does not tell when those change, and the time that the server's answer names.
"""

from table_rows import TableRows, assert_rows, differences, read_raw_tables, read_tables  # noqa: F401 (for the tests)

TABLES = read_tables("jira")
RAW_TABLES = read_raw_tables("jira")
COPIES = {"sprint", "closedSprints", "customfield_10020", "epic", "parent", "issuelinks", "subtasks", "status", "issuetype", "project",
          "priority", "assignee", "reporter", "creator", "author", "updateAuthor", "customfield_10040", "customfield_10014"}
OF_THE_MOMENT = {"serverTime"}


class Rows(TableRows):
    tables = TABLES
    raw_tables = RAW_TABLES
    left_out = {"_tool_jira_server_infos": ("server_time",)}

    def own_part(self, _name, data):
        return without_copies(data)


def without_copies(data):
    if isinstance(data, list):
        return [without_copies(item) for item in data]
    if not isinstance(data, dict):
        return data
    return {name: identity(value) if name in COPIES else without_copies(value)
            for name, value in data.items() if name not in OF_THE_MOMENT}


def identity(value):
    if isinstance(value, list):
        return [identity(item) for item in value]
    if isinstance(value, dict):
        return value.get("accountId") or value.get("id") or value.get("key")
    # Data Center's old shape of sprints is a text.
    return None


def assert_same(tarn, want):
    assert_rows(Rows(tarn), want)
