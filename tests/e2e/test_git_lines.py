"""Lines that commits changed and whose the lines are: compared with git's patches and git's blame, line for line."""

import os
import random
import re

import pytest

from api_fixtures import api  # noqa: F401
from test_git import Repo, asked, build, spoil, table

ALL = ["Clone Git Repo", "Collect Commits", "Collect Branches", "Collect Tags", "Collect DiffLine"]
HUNK = re.compile(rb"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")


def run(api, repo_id, path, subtasks=ALL, status="TASK_COMPLETED", **options):
    task = {"plugin": "gitextractor", "subtasks": subtasks, "options": {"repoId": repo_id, "url": str(path), **options}}
    pipeline = api.server.wait(api.post("/pipelines", {"name": "lines", "plan": [[task]]}, 201)["id"])
    assert pipeline["status"] == status, pipeline["message"]
    return pipeline


# ---- what git says

def main_line(path):
    return asked(path, "rev-list", "--first-parent", "--reverse", "HEAD").decode().split()


def changed_files(path, commit, parent):
    """(old mode, new mode, path) of a commit against its first parent; all of the first commit."""
    sides = [parent, commit] if parent else ["--root", commit]
    fields = asked(path, "diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-commit-id", *sides).split(b"\0")
    return [(head[1:7], head[8:14], name) for head, name in zip(fields[::2], fields[1::2])]


def patch_lines(path, commit, parent, name):
    """(hunk, old line, new line) of every line that the commit changed in the file."""
    sides = [parent, commit] if parent else ["--root", commit]
    patch = asked(path, "diff-tree", "-r", "-p", "--no-renames", "--no-commit-id", *sides, "--", b":(literal)" + name)
    rows, hunk, old, new, inside = [], 0, 0, 0, False
    for line in patch.split(b"\n"):
        found = HUNK.match(line)
        if found and not line.startswith((b" ", b"+", b"-")):
            old, new, hunk, inside = int(found[1]), int(found[2]), hunk + 1, True
        elif line.startswith(b"diff --git "):
            hunk, inside = 0, False
        elif inside and line.startswith(b"-"):
            rows.append((hunk, old, -1))
            old += 1
        elif inside and line.startswith(b"+"):
            rows.append((hunk, -1, new))
            new += 1
        elif inside and line.startswith(b" "):
            old, new = old + 1, new + 1
    return rows


def blame(path, commit, name):
    """The commit of each line of the file."""
    out = asked(path, "blame", "--first-parent", "--no-follow", "--porcelain", commit, "--", name)
    return [line.split()[0].decode() for line in out.split(b"\n") if re.match(rb"[0-9a-f]{40} \d+ \d+", line)]


def git_changes(path, without=()):
    rows, parent = [], None
    for commit in main_line(path):
        for old_mode, _, name in changed_files(path, commit, parent) if commit not in without else ():
            lines = patch_lines(path, commit, parent, name)
            owners = blame(path, parent, name) if any(old > 0 for _, old, _ in lines) and old_mode != b"160000" else []
            text = name.decode(errors="replace")
            rows += [(commit, text, new, old, text, hunk, "Deletion" if new < 0 else "Addition", owners[old - 1] if owners and old > 0 else "")
                     for hunk, old, new in lines]
        parent = commit
    return sorted(rows)


def git_owners(path):
    rows = []
    for entry in asked(path, "ls-tree", "-r", "-z", "HEAD").split(b"\0"):
        if entry:
            name = entry.split(b"\t", 1)[1]
            if b"\0" not in asked(path, "cat-file", "blob", entry.split()[2].decode()):
                rows += [(commit, name.decode(errors="replace"), number + 1) for number, commit in enumerate(blame(path, "HEAD", name))]
    return sorted(rows)


# ---- what is stored

def stored_changes(api, path):
    return table(api, "select commit_sha, new_file_path, line_no_new, line_no_old, old_file_path, hunk_num, changed_type, prev_commit "
                      f"from commit_line_change where commit_sha in ({', '.join(repr(sha) for sha in main_line(path))})")


def stored_owners(api, repo_id):
    return table(api, f"select commit_sha, file_path, line_no from repo_snapshot where repo_id = '{repo_id}'")


def compare(api, repo_id, path):
    changes = git_changes(path)
    assert changes and stored_changes(api, path) == changes
    assert stored_owners(api, repo_id) == git_owners(path)
    ids = "select count(*)::int as n, count(distinct id)::int as ids from commit_line_change"
    assert len({*api.rows(ids)[0].values()}) == 1


def stamps(api):
    return table(api, "select 1, count(*), max(updated_at) from commit_line_change union all select 2, count(*), max(updated_at) from repo_snapshot")


ODD = ["diff --git a/x b/x", "@@ -1,9 +1,9 @@", "\\ No newline at end of file", "0123456789" * 4, "", "--- a/x", "Binary files a and b differ"]


def edit(repo, rng, count):
    """Commits that insert, delete and replace lines here and there, rename, remove and bring back files, and merge."""
    names = ["a.txt", "sub/b.txt", "sub/with space.txt", b"caf\xe9.txt", "quo\"te.txt"]
    files = repo.files = getattr(repo, "files", {})
    for n in range(count):
        name = rng.choice(names)
        lines = files.setdefault(name, [])
        for _ in range(rng.randint(1, 4)):
            at = rng.randint(0, len(lines))
            if lines and rng.random() < 0.4:
                del lines[at:at + rng.randint(1, 5)]
            else:
                lines[at:at] = [rng.choice(ODD) if rng.random() < 0.3 else f"line {rng.random()}" for _ in range(rng.randint(1, 8))]
        repo.write(name, "\n".join(lines) + ("\n" if rng.random() < 0.8 and lines else ""))
        if n % 9 == 5:
            side = f"side{repo.time}"
            repo.git("checkout", "-q", "-b", side)
            repo.commit(b"aside")
            repo.git("checkout", "-q", "main")
            repo.write("only main.txt", f"{repo.time}\n")
            repo.commit(b"main goes on")
            repo.git("merge", "-q", "--no-ff", "-m", "merge", side)
        elif n % 9 == 7:
            os.remove(os.path.join(os.fsencode(repo.path), os.fsencode(name)))
            files.pop(name)
            repo.commit(b"removed")
        else:
            repo.commit(b"edit")


@pytest.fixture(scope="module")
def edited(tmp_path_factory):
    repo = Repo(tmp_path_factory.mktemp("lines") / "edited")
    edit(repo, random.Random(11), 60)
    return repo


def test_lines_come_on_request_alone(api, edited):
    run(api, "l:1", edited.path, subtasks=[])
    assert stored_owners(api, "l:1") == [] and stored_changes(api, edited.path) == []
    run(api, "l:1", edited.path, skipCommitStat=True)
    assert stored_owners(api, "l:1") == [] and stored_changes(api, edited.path) == []
    names = [subtask["name"] for plugin in api.get("/plugins") if plugin["plugin"] == "gitextractor" for subtask in plugin.get("subtasks", [])]
    assert not names or "Collect DiffLine" in names


def test_each_line_is_what_patches_and_blame_say(api, edited):
    run(api, "l:1", edited.path)
    compare(api, "l:1", edited.path)
    sums = table(api, "select c.sha, c.additions, c.deletions, (select count(*) from commit_line_change l where l.commit_sha = c.sha and "
                      "changed_type = 'Addition')::varchar, (select count(*) from commit_line_change l where l.commit_sha = c.sha and changed_type = 'Deletion')::varchar "
                      f"from commits c where sha in ({', '.join(repr(sha) for sha in main_line(edited.path))})")
    assert [(str(row[1]), str(row[2])) for row in sums] == [(str(row[3]), str(row[4])) for row in sums]
    before = stamps(api)
    run(api, "l:1", edited.path)
    assert stamps(api) == before


def test_odd_names_links_types_and_binary_files(api, tmp_path):
    repo = build(tmp_path / "odd")
    run(api, "l:2", repo.path)
    compare(api, "l:2", repo.path)
    assert not [row for row in stored_owners(api, "l:2") if row[1] == "picture.bin"]


def test_news_and_another_history(api, edited):
    run(api, "l:1", edited.path)
    older = table(api, "select id, updated_at from commit_line_change")
    edit(edited, random.Random(12), 12)
    run(api, "l:1", edited.path)
    compare(api, "l:1", edited.path)
    assert set(older) <= set(table(api, "select id, updated_at from commit_line_change"))
    edited.git("reset", "-q", "--hard", "HEAD~5")
    edited.files.clear()
    edit(edited, random.Random(13), 8)
    run(api, "l:1", edited.path)
    compare(api, "l:1", edited.path)
    # What was lost is found again by a run of everything.
    run(api, "l:other", edited.path)
    assert stored_owners(api, "l:other") == stored_owners(api, "l:1")


def test_news_alone_are_walked(api, tmp_path):
    """What only older commits need cannot be read: a walk of the whole branch would fail."""
    repo = Repo(tmp_path / "grown")
    edit(repo, random.Random(16), 25)
    run(api, "l:6", repo.path)
    edit(repo, random.Random(17), 10)
    first = asked(repo.path, "rev-list", "--first-parent", "HEAD").split()[-1].decode()
    old = asked(repo.path, "ls-tree", "-r", first).split()[2].decode()
    file = repo.path / ".git" / "objects" / old[:2] / old[2:]
    good = file.read_bytes()
    spoil(repo.path, old)
    run(api, "l:6", repo.path)
    file.write_bytes(good)
    compare(api, "l:6", repo.path)
    spoil(repo.path, old)
    # Another branch moves: nothing is to be walked.
    before = stamps(api)
    repo.git("branch", "other")
    run(api, "l:6", repo.path)
    assert stamps(api) == before
    # The branch goes back: its lines are found by the whole walk, which fails here.
    repo.git("reset", "-q", "--hard", "HEAD~3")
    assert "lines" in run(api, "l:6", repo.path, status="TASK_FAILED")["message"]
    file.write_bytes(good)
    run(api, "l:6", repo.path)
    compare(api, "l:6", repo.path)


def test_lines_of_a_shallow_repository_begin_at_its_edge(api, tmp_path):
    repo = Repo(tmp_path / "whole")
    edit(repo, random.Random(14), 30)
    shallow = tmp_path / "shallow"
    asked(tmp_path, "clone", "-q", "--depth", "6", "--single-branch", f"file://{repo.path}", str(shallow))
    edges = set((shallow / ".git" / "shallow").read_text().split())
    run(api, "l:3", shallow)
    assert stored_changes(api, shallow) == git_changes(shallow, without=edges)
    assert stored_owners(api, "l:3") == git_owners(shallow)
    assert {row[0] for row in stored_owners(api, "l:3")} & edges


def test_empty_and_damaged_repositories(api, tmp_path):
    empty = Repo(tmp_path / "empty")
    run(api, "l:4", empty.path)
    assert stored_owners(api, "l:4") == []
    repo = Repo(tmp_path / "damaged")
    edit(repo, random.Random(15), 12)
    name = asked(repo.path, "ls-tree", "-r", "-z", "--name-only", "HEAD").split(b"\0")[0]
    spoil(repo.path, asked(repo.path, "rev-parse", b"HEAD:" + name).decode().strip())
    failed = run(api, "l:4", repo.path, status="TASK_FAILED")
    assert "fsck" in failed["message"] and "lines" in failed["message"]
    # The rest had been read before.
    assert len(table(api, "select commit_sha from repo_commits where repo_id = 'l:4'")) == len(asked(repo.path, "rev-list", "--branches").split())


def test_files_belong_to_components(api, tmp_path):
    repo = build(tmp_path / "parts")
    pushed = api.server.call("POST", "/push/components", [{"repo_id": "l:5", "name": "depths", "path_regex": "^deep/"},
                                                          {"repo_id": "l:5", "name": "locks", "path_regex": "[.]lock$"},
                                                          {"repo_id": "elsewhere", "name": "all", "path_regex": "."}])
    assert pushed.status_code == 200, pushed.text
    # A root and a branch of its own: no file of another test's repository.
    repo.write("deep/new.txt", str(tmp_path))
    repo.write("x.lock", "1\n")
    repo.write("plain.txt", "2\n")
    commit = repo.commit(b"three files")
    run(api, "l:5", repo.path, skipCommitFiles=False)
    rows = table(api, "select f.file_path, p.component_name from commit_file_components p join commit_files f on f.id = p.commit_file_id "
                      f"where f.commit_sha = '{commit}'")
    names = asked(repo.path, "show", "--format=", "--name-only", commit).decode().split()
    assert sorted(names) == [row[0] for row in rows]
    assert rows == [("deep/new.txt", "depths"), ("plain.txt", "Default"), ("x.lock", "locks")]
