"""Killed at any moment, and the next run completes what was begun: the rows are those of runs that nobody disturbed.

See kill_rounds.py for ROUNDS and SEED.
"""

from types import SimpleNamespace

import pytest

from conftest import Tarn
from jira_rows import Rows, differences
from jira_source import DEPLOYMENTS, copy_of, flags, new_world, synced
from kill_rounds import play_all


def change_something(source, choice):
    """One to four changes that make an issue newer, of any kind; what they are, for the report."""
    own = [issue for issue in source.world.issues.values() if issue["project"] == "ALPHA"]
    logged = [issue for issue in own if issue["worklogs"]]
    pick = lambda: choice.choice(own)["id"]  # noqa: E731
    kinds = [
        lambda: source.change("update_issue", issue=pick(), summary=f"Title {choice.random()}"),
        lambda: source.change("add_issue", summary="One more", count=choice.randint(1, 30)),
        lambda: source.change("transition", issue=pick(), status=choice.choice((3, 10001, 10002))),
        lambda: source.change("relabel", issue=pick(), labels=[f"label-{choice.randint(1, 5)}"]),
        lambda: source.change("assign", issue=pick(), user=choice.choice(source.world.people)),
        lambda: source.change("add_comment", issue=pick(), count=choice.choice((1, 110))),
        lambda: source.change("add_worklog", issue=pick(), count=choice.choice((1, 30))),
        lambda: source.change("delete_worklog", issue=choice.choice(logged)["id"]),
        lambda: source.change("add_history", issue=pick(), count=choice.choice((1, 120))),
        lambda: source.change("add_remotelink", issue=pick()),
        lambda: source.change("link_issues", issue=own[0]["id"], to=own[-1]["id"]),
        lambda: source.change("plan", issue=pick(), sprints=[source.change("add_sprint", board=1)["id"]]),
    ]
    return [change()["op"] for change in choice.sample(kinds, choice.randint(1, 4))]


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_a_killed_run_is_completed_by_the_next(program, tmp_path, deployment):
    def home(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        return Tarn(program, folder)

    game = SimpleNamespace(
        arguments=flags, new_world=lambda: new_world(deployment), copy_of=lambda folder: copy_of(program, folder, deployment),
        change=change_something, synced=synced, home=home, rows=lambda tarn: Rows(tarn).comparable())
    play_all(game, tmp_path, lambda _source, mine, other: differences(mine, other))
