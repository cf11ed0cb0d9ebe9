"""Remote repositories in a bad state: empty, shallow, damaged, gone; and copies of ours that a crash has damaged."""

import os
import shutil

import pytest

from api_fixtures import api  # noqa: F401
from git_server import GitServer
from test_git import Repo, asked, build, compare, git_commits, run, spoil, stamps, table

PASSWORD = "secret"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    server = GitServer(tmp_path_factory.mktemp("served"), PASSWORD)
    yield server
    server.stop()


def url(server, name):
    return f"http://git:{PASSWORD}@{server.host}/{name}"


def published(server, repo, name):
    """A bare clone that the server shows."""
    bare = os.path.join(server.folder, name)
    asked(repo.path, "clone", "-q", "--bare", str(repo.path), bare)
    return bare


def commits_of(api, repo_id):
    return [row[0] for row in table(api, f"select commit_sha from repo_commits where repo_id = '{repo_id}'")]


def copy_of(api, known):
    """The copy that has come since."""
    return next(path for path in (api.tarn.home / "git").glob("*.git") if path not in known)


def test_an_empty_remote_is_no_error_and_may_grow_and_shrink(api, served, tmp_path):
    repo = Repo(tmp_path / "work")
    bare = os.path.join(served.folder, "empty.git")
    asked(tmp_path, "init", "-q", "--bare", "-b", "main", bare)
    run(api, "f:1", url(served, "empty.git"))
    assert commits_of(api, "f:1") == [] and table(api, "select name from refs where repo_id = 'f:1'") == []
    repo.write("a", "a\n")
    repo.commit()
    repo.git("push", "-q", bare, "main")
    run(api, "f:1", url(served, "empty.git"))
    compare(api, bare, "f:1")
    asked(bare, "update-ref", "-d", "refs/heads/main")
    run(api, "f:1", url(served, "empty.git"))
    assert commits_of(api, "f:1") == [] and table(api, "select name from refs where repo_id = 'f:1'") == []


def test_a_shallow_remote_gives_what_it_has(api, served, tmp_path):
    repo = build(tmp_path / "whole")
    bare = os.path.join(served.folder, "shallow.git")
    asked(tmp_path, "clone", "-q", "--bare", "--depth", "2", "--single-branch", f"file://{repo.path}", bare)
    with open(os.path.join(bare, "shallow"), encoding="ascii") as file:
        edges = set(file.read().split())
    run(api, "f:2", url(served, "shallow.git"))
    assert commits_of(api, "f:2") == sorted(set(git_commits(bare)) - edges) != []
    asked(bare, "fetch", "-q", "--unshallow", str(repo.path))
    work = Repo(tmp_path / "news")
    work.git("pull", "-q", bare, "main")
    work.write("more", "more\n")
    work.commit()
    work.git("push", "-q", bare, "HEAD:main")
    run(api, "f:2", url(served, "shallow.git"))
    compare(api, bare, "f:2")


def test_a_damaged_remote_changes_nothing(api, served, tmp_path):
    repo = Repo(tmp_path / "damaged")
    for n in range(6):
        repo.write("a", f"{n}\n")
        repo.commit()
    bare = os.path.join(served.folder, "damaged.git")
    asked(tmp_path, "init", "-q", "--bare", "-b", "main", bare)
    repo.git("-c", "transfer.unpackLimit=1000", "push", "-q", bare, "main")
    run(api, "f:3", url(served, "damaged.git"))
    before = commits_of(api, "f:3")
    repo.write("a", "news\n")
    new = repo.commit()
    repo.git("push", "-q", bare, "main")
    blob = asked(bare, "rev-parse", f"{new}:a").decode().strip()
    file = os.path.join(bare, "objects", blob[:2], blob[2:])
    with open(file, "rb") as object_file:
        good = object_file.read()
    os.chmod(file, 0o644)
    with open(file, "wb") as object_file:
        object_file.write(b"spoilt")
    rows = stamps(api)
    failed = run(api, "f:3", url(served, "damaged.git"), status="TASK_FAILED")
    assert "damaged.git" in failed["message"] and PASSWORD not in failed["message"]
    assert stamps(api) == rows and commits_of(api, "f:3") == before
    with open(file, "wb") as object_file:
        object_file.write(good)
    run(api, "f:3", url(served, "damaged.git"))
    compare(api, bare, "f:3")


def test_a_damaged_copy_is_made_anew(api, served, tmp_path):
    repo = build(tmp_path / "fine")
    bare = published(served, repo, "fine.git")
    known = set((api.tarn.home / "git").glob("*.git"))
    run(api, "f:4", url(served, "fine.git"))
    copy = copy_of(api, known)
    for way in ("objects", "refs", "locks"):
        if way == "objects":
            for pack in copy.rglob("*.pack"):
                os.chmod(pack, 0o644)
                pack.write_bytes(pack.read_bytes()[:100])
            for number, loose in enumerate(sorted(path for path in copy.glob("objects/??/*"))):
                if number % 3 == 0:
                    os.chmod(loose, 0o644)
                    loose.write_bytes(b"")
        elif way == "refs":
            shutil.rmtree(copy / "refs")
            (copy / "packed-refs").write_text("nonsense\n")
        else:
            (copy / "packed-refs.lock").write_text("")
            (copy / "shallow.lock").write_text("")
        repo.write(f"{way}.txt", "news\n")
        repo.commit(way.encode())
        repo.git("push", "-q", bare, "main")
        run(api, "f:4", url(served, "fine.git"))
        compare(api, bare, "f:4")


def test_a_remote_that_is_gone_keeps_what_was_read(api, served, tmp_path):
    repo = build(tmp_path / "going")
    bare = published(served, repo, "going.git")
    run(api, "f:5", url(served, "going.git"))
    before, rows = commits_of(api, "f:5"), stamps(api)
    shutil.move(bare, bare + ".away")
    failed = run(api, "f:5", url(served, "going.git"), status="TASK_FAILED")
    assert "going.git" in failed["message"] and "Check the address" in failed["message"]
    assert commits_of(api, "f:5") == before and stamps(api) == rows
    for address in ("http://127.0.0.1:1/x.git", "ftp://127.0.0.1/x.git", "git://127.0.0.1:1/x.git", "-u", "http://"):
        run(api, "f:5", address, status="TASK_FAILED")
    assert commits_of(api, "f:5") == before and stamps(api) == rows
    shutil.move(bare + ".away", bare)
    run(api, "f:5", url(served, "going.git"))
    compare(api, bare, "f:5")


def test_trees_and_tags_that_are_odd(api, tmp_path):
    """A commit whose tree is gone, a tag of a blob, a branch that leads nowhere."""
    repo = Repo(tmp_path / "odd")
    for n in range(4):
        repo.write("a", f"{n}\n")
        repo.commit()
    repo.git("tag", "-a", "blob", "-m", "of a blob", repo.git("rev-parse", "HEAD:a").decode().strip())
    run(api, "f:6", repo.path)
    compare(api, repo.path, "f:6")
    spoil(repo.path, repo.git("rev-parse", "HEAD^{tree}").decode().strip())
    run(api, "f:7", repo.path)
    assert commits_of(api, "f:7") == git_commits(repo.path)
    reasons = table(api, "select path, reason from _tarn_rejects where raw_table = 'gitextractor' and params = 'f:7'")
    assert [row[0] for row in reasons] == [repo.git("rev-parse", "HEAD").decode().strip()]
    (repo.path / ".git" / "refs" / "heads" / "nowhere").write_text("0" * 39 + "1\n")
    failed = run(api, "f:7", repo.path, status="TASK_FAILED")
    assert "fsck" in failed["message"]
