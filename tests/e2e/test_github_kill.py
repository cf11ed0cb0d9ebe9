"""Killed at any moment, and the next run completes what was begun: the rows are those of runs that nobody disturbed.

See kill_rounds.py for ROUNDS and SEED.
"""

from types import SimpleNamespace

from conftest import Tarn
from kill_rounds import play_all
from rows import TABLES, Rows, differences
from source import copy_of, fresh_rows, new_world, synced


def change_something(source, choice):
    """One to four changes of any kind; what they are, for the report."""
    issues, pulls = source.issues(), source.pulls()
    runs, comments = source.list("actions/runs"), source.list("issues/comments")
    pick = choice.choice
    kinds = [
        lambda: source.change("update_issue", number=pick(issues)["number"], title=f"Title {choice.random()}"),
        lambda: source.change("add_issue", title="One more", labels=["bug", "p0"], count=choice.randint(1, 30)),
        lambda: source.change("add_label", number=pick(issues)["number"], label="docs"),
        lambda: source.change("add_comment", number=pick(issues + pulls)["number"], body="Hm"),
        lambda: source.change("edit_comment", id=pick(comments)["id"], body=f"Edited {choice.random()}"),
        lambda: source.change("add_pull", title="A pull", body=f"fixes #{pick(issues)['number']}"),
        lambda: source.change("push_pull", number=pick(pulls)["number"], commits=choice.randint(1, 4)),
        lambda: source.change("add_review", number=pick(pulls)["number"]),
        lambda: source.change("merge_pull", number=pick([pull for pull in pulls if pull["state"] == "open"])["number"]),
        lambda: source.change("add_runs", n=choice.randint(1, 9), status=pick(("completed", "queued"))),
        lambda: source.change("complete_runs"),
        lambda: source.change("rerun", id=max(runs, key=lambda run: run["created_at"])["id"]),
        lambda: source.change("add_deployment"),
        lambda: source.change("add_deployment_status", state=pick(("success", "failure"))),
        lambda: source.change("add_milestone", title=f"Later {choice.random()}"),
        lambda: source.change("add_release"),
    ]
    return [change()["op"] for change in choice.sample(kinds, choice.randint(1, 4))]


def only_shared_rows_of(there, rows):
    return {name: {key: row for key, row in found.items() if key in there[name]} if name in TABLES and TABLES[name].shared else found
            for name, found in rows.items()}


def test_a_killed_run_is_completed_by_the_next(program, tmp_path):
    def home(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        return Tarn(program, folder)

    def wrong(source, mine, other):
        if not differences(mine, other):
            return []
        # A commit that was pushed away meanwhile stays where a run has met it: shared rows are not deleted.
        there = fresh_rows(program, tmp_path, source)
        return differences(*(only_shared_rows_of(there, rows) for rows in (mine, other)))

    game = SimpleNamespace(
        arguments=lambda source: ("sync", "github", "--endpoint", source.server.url, "--token-env", "TEST_TOKEN", "--repo", source.repo),
        new_world=new_world, copy_of=lambda folder: copy_of(program, folder), change=change_something, synced=synced, home=home,
        rows=lambda tarn: Rows(tarn).comparable())
    play_all(game, tmp_path, wrong)
