"""GitHub's rows. Beside what may always differ between two homes: the repository's own last update (read when the scope
is added) and the parts of a payload that are copies of other items, as GitHub does not tell when those change.
"""

from table_rows import TableRows, assert_rows, differences, read_raw_tables, read_tables  # noqa: F401 (for the tests)

TABLES = read_tables("github")
RAW_TABLES = read_raw_tables("github")


class Rows(TableRows):
    tables = TABLES
    raw_tables = RAW_TABLES
    left_out = {name: ("updated_date",) for name in ("_tool_github_repos", "repos", "cicd_scopes")}

    def own_part(self, _name, data):
        if isinstance(data, dict):
            return {name: value.get("id") if name in ("issue", "milestone") and isinstance(value, dict) else value
                    for name, value in data.items()}
        return data


def assert_same(tarn, want):
    assert_rows(Rows(tarn), want)
