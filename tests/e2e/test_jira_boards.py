"""Boards that share issues, issues that leave a board or vanish, boards whose filter changes, people who left."""

import pytest

from conftest import Tarn
from jira_rows import RAW_TABLES, TABLES, Rows, assert_same, differences
from jira_source import (JiraSource, add_board, connected, copy_of, deployment, fresh_rows, new_world, run_boards,  # noqa: F401
                         settled, source, sync, synced)

CONNECTION = 1


def issue_id(key):
    return f"jira:JiraIssue:1:{key}"


def board_id(number):
    return f"jira:JiraBoard:1:{number}"


def of_issue(rows, key):
    """Tables that still say something of the issue."""
    named = {"_tool_jira_issues": "issue_id", "_tool_jira_board_issues": "issue_id", "_tool_jira_issue_labels": "issue_id",
             "_tool_jira_issue_changelogs": "issue_id", "_tool_jira_worklogs": "issue_id", "_tool_jira_remotelinks": "issue_id",
             "_tool_jira_sprint_issues": "issue_id", "issues": "id", "board_issues": "issue_id", "issue_labels": "issue_id",
             "issue_changelogs": "issue_id", "issue_worklogs": "issue_id", "sprint_issues": "issue_id", "issue_assignees": "issue_id"}
    return {name for name, column in named.items()
            if any(str(row[column]).rsplit(":", 1)[-1] == str(key) for row in rows[name].values())}


def rich_issue(source, project="ALPHA"):
    """An issue that has one of everything and nothing that hangs below it."""
    return next(issue for issue in source.world.issues.values() if issue["project"] == project and issue["histories"] and
                issue["worklogs"] and issue["labels"] and not issue["children"] and not issue["links"] and issue["type"] != 10000)


def with_epics(source):
    issues = source.issues()
    return len(issues) + len(source.outside_epics(issues))


def without_shared(rows, wanted):
    """Rows of tables that several scopes share stay when their items are gone: those of `rows` are added to `wanted`."""
    mine = rows.comparable()
    return {name: {**mine[name], **found} if name in TABLES and TABLES[name].shared else found for name, found in wanted.items()}


# ---- issues that go

def test_a_deleted_issue_goes_with_the_next_full_run(program, settled, source, tmp_path):
    key = rich_issue(source)["id"]
    assert len(of_issue(Rows(settled), key)) > 8
    source.change("delete_issue", issue=key)
    synced(settled, source)
    synced(settled, source, "--full")
    rows = Rows(settled)
    assert of_issue(rows, key) == set()
    assert_same(settled, without_shared(rows, fresh_rows(program, tmp_path, source)))


def test_an_issue_that_moved_away_leaves_the_board(program, settled, source, tmp_path):
    key = rich_issue(source)["id"]
    source.change("move_issue", issue=key, project="GAMMA")
    synced(settled, source, "--full")
    rows = Rows(settled)
    assert not {"board_issues", "_tool_jira_board_issues"} & of_issue(rows, key)
    assert (board_id(1), issue_id(key)) not in rows["board_issues"]
    assert_same(settled, without_shared(rows, fresh_rows(program, tmp_path, source)))


def test_a_moved_issue_that_another_board_shows_lives_on_there(program, settled, source, tmp_path):
    wide = JiraSource(source.server, 4)
    synced(settled, wide)
    key = rich_issue(source)["id"]
    source.change("move_issue", issue=key, project="BETA")
    synced(settled, source, "--full")
    rows = Rows(settled)
    assert (board_id(1), issue_id(key)) not in rows["board_issues"]
    assert (board_id(4), issue_id(key)) in rows["board_issues"]
    assert (CONNECTION, key) in rows["_tool_jira_issues"] and (issue_id(key),) in rows["issues"]
    synced(settled, wide)
    row = Rows(settled)["issues"][(issue_id(key),)]
    assert row["issue_key"].startswith("BETA-")
    # Both pass once more without news: nothing flips to and fro.
    before = Rows(settled)
    synced(settled, source)
    synced(settled, wide)
    assert Rows(settled).written_since(before) == {}


def test_a_deleted_sprint_goes(settled, source):
    sprint = source.sprints()[0]["id"]
    domain = f"jira:JiraSprint:1:{sprint}"
    assert domain in {key[1] for key in Rows(settled)["board_sprints"]}
    source.change("delete_sprint", sprint=sprint)
    synced(settled, source)
    synced(settled, source, "--full")
    rows = Rows(settled)
    assert domain not in {key[1] for key in rows["board_sprints"]}
    assert (CONNECTION, sprint) not in rows["_tool_jira_sprints"]
    assert domain not in {key[0] for key in rows["sprint_issues"]}


def test_a_taken_back_change_leaves_the_rows_as_they_were(settled, source):
    want = Rows(settled).comparable()
    made = source.change("add_issue", summary="For a moment")["ids"][0]
    synced(settled, source)
    assert of_issue(Rows(settled), made)
    source.change("delete_issue", issue=made)
    synced(settled, source, "--full")
    assert_same(settled, without_shared(Rows(settled), want))


# ---- boards that share issues

def test_two_boards_in_any_order_give_one_row_per_issue(program, tmp_path, source):
    wide = JiraSource(source.server, 4)
    homes = []
    for order in ((source, wide), (wide, source)):
        tarn = Tarn(program, tmp_path / f"home{len(homes)}")
        for one in order:
            synced(tarn, one)
        homes.append(Rows(tarn))
    for rows in homes:
        assert len([key for key in rows["_tool_jira_board_issues"] if key[1] == 1]) == 40 + 1
        assert len([key for key in rows["_tool_jira_board_issues"] if key[1] == 4]) == 80 + 1
    # What a row was made from differs, as the later board wins, and with it the address (an epic is read by another API).
    origins = ("_raw_data_params", "_raw_data_id", "_raw_data_table", "self")
    plain = [{name: {key: {column: value for column, value in row.items() if column not in origins} for key, row in found.items()}
              for name, found in rows.comparable().items() if name not in RAW_TABLES} for rows in homes]
    assert not differences(plain[1], plain[0])


def test_a_change_in_one_project_leaves_the_other_board_alone(settled, source):
    gamma = JiraSource(source.server, 3)
    synced(settled, gamma)
    synced(settled, source)  # asks for the filters of both boards from now on
    before = Rows(settled)
    source.change("update_issue", issue="GAMMA-7", summary="Only there")
    synced(settled, source)
    assert Rows(settled).written_since(before) == {}
    synced(settled, gamma)
    written = Rows(settled).written_since(before)
    assert len(written["issues"]) == 1


@pytest.mark.parametrize("board", [2, 3])
def test_boards_of_other_kinds(program, tmp_path, source, board):
    other = JiraSource(source.server, board)
    tarn = Tarn(program, tmp_path / "home")
    synced(tarn, other)
    rows = Rows(tarn)
    assert len(rows["board_issues"]) == with_epics(other) > 38
    assert bool(rows["board_sprints"]) == (board == 3)


# ---- the board's filter

@pytest.mark.parametrize("jql", ["project = ALPHA AND issuetype = Bug ORDER BY Rank", "project = GAMMA", "project in (ALPHA, GAMMA)"],
                         ids=["narrower", "another", "wider"])
def test_a_changed_filter_is_obeyed(program, tmp_path, jql):
    """Issues that a changed filter lets in did not change themselves. (Data Center's filter is asked for once an hour only.)"""
    source = new_world("Cloud")
    settled = copy_of(program, tmp_path / "home", "Cloud")
    source.change("set_jql", board=1, jql=jql)
    synced(settled, source)
    rows = Rows(settled)
    assert len(rows["board_issues"]) == with_epics(source)
    assert_same(settled, without_shared(rows, fresh_rows(program, tmp_path, source)))
    before = Rows(settled)
    synced(settled, source)
    assert Rows(settled).written_since(before) == {}


def test_a_filter_that_is_only_ordered_anew_changes_no_issue(settled, source):
    source.change("set_jql", board=1, jql="project = ALPHA ORDER BY updated DESC")
    before = Rows(settled)
    synced(settled, source)
    assert not Rows(settled).written_since(before).get("issues")


def test_a_hidden_filter_is_told(settled, source):
    source.change("hide_filter", board=1)
    done = sync(settled, source)
    assert done.returncode == 1 and "400" in done.stderr, (done.stdout, done.stderr)


def test_a_missing_board_is_told(program, tmp_path, source):
    done = sync(Tarn(program, tmp_path / "home"), JiraSource(source.server, 77))
    assert done.returncode == 1 and "404" in done.stderr, (done.stdout, done.stderr)


# ---- remote scopes

def test_boards_can_be_listed_and_tried(served, source):
    connection = connected(served, source)
    test = served.call("POST", f"/plugins/jira/connections/{connection}/test")
    assert test.status_code == 200, test.text
    add_board(served, connection, 1)
    assert run_boards(served, connection, [1])["status"] == "TASK_COMPLETED"
