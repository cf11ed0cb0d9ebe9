"""History of git repositories: compared with what git itself says, row for row."""

import hashlib
import os
import random
import signal
import subprocess
import time

import pytest

from api_fixtures import api  # noqa: F401
from conftest import ROOT, Served, Tarn
from git_server import GitServer

PASSWORD = "geheim-%/@1"
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_COUNT": "1",
               "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}


class Repo:
    """A repository made by git's commands, with a clock of its own."""

    def __init__(self, path):
        self.path, self.time = path, 1_700_000_000
        path.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments, author=b"Ann <ann@x.org>", message=None):
        name, email = author.rstrip(b">").split(b" <")
        self.time += 60
        who = {b"GIT_AUTHOR_NAME": name, b"GIT_AUTHOR_EMAIL": email, b"GIT_COMMITTER_NAME": b"Com Mitter",
               b"GIT_COMMITTER_EMAIL": b"com@x.org", b"GIT_AUTHOR_DATE": b"%d +0100" % self.time,
               b"GIT_COMMITTER_DATE": b"%d +0000" % self.time}
        environment = {key.encode(): value.encode() for key, value in ENVIRONMENT.items()} | who
        done = subprocess.run(["git", "-C", str(self.path), *arguments], env=environment, capture_output=True, input=message)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def write(self, name, content):
        path = os.path.join(os.fsencode(self.path), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())

    def commit(self, message=b"work", *options, author=b"Ann <ann@x.org>"):
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-F", "-", *options, author=author, message=message)
        return self.git("rev-parse", "HEAD").decode().strip()


def build(path):
    """Merges, renames, binary files, odd bytes, links, both kinds of tags."""
    repo = Repo(path)
    repo.write("a.txt", "one\ntwo\nthree\n")
    repo.write("deep/er/b.py", "".join(f"line {n}\n" for n in range(40)))
    repo.commit(b"first")
    repo.git("tag", "light")
    repo.write("picture.bin", bytes(range(256)) * 4)
    repo.write(b"caf\xe9.txt", b"latin\n")
    repo.write("tab\tnew\nline \"quoted\".txt", "odd name\n")
    repo.commit("gr\xfc\xdfe\n".encode("latin-1"), author="J\xfcrgen <j@x.org>".encode("latin-1"))
    repo.git("-c", "i18n.commitEncoding=ISO-8859-1", "commit", "-q", "--allow-empty", "-F", "-",
             author="M\xe4x <m@x.org>".encode("latin-1"), message="\xfcber\n".encode("latin-1"))
    repo.git("checkout", "-q", "-b", "side")
    repo.git("mv", "a.txt", "renamed.txt")
    repo.write("deep/er/b.py", "".join(f"line {n}\n" for n in range(5, 45)))
    repo.commit(b"rename")
    repo.git("tag", "-a", "v1.0", "-m", "annotated")
    repo.git("checkout", "-q", "main")
    repo.write("c.lock", "x\n" * 10)
    repo.commit(b"on main")
    repo.git("merge", "-q", "--no-ff", "-m", "merge side", "side")
    (path / "link").symlink_to("c.lock")
    os.chmod(path / "c.lock", 0o755)
    repo.commit(b"link and mode")
    os.remove(path / "link")
    repo.write("link", "a file now\n")
    repo.commit(b"type change", author=b"Nobody <nobody@x.org>")
    repo.git("checkout", "-q", "--orphan", "pages")
    repo.git("rm", "-rfq", ".")
    repo.write("index.html", "<p>\n")
    repo.commit(b"second root")
    repo.git("checkout", "-q", "main")
    return repo


# ---- what git says

def asked(path, *arguments, data=None):
    done = subprocess.run(["git", "-C", str(path), *arguments], env=ENVIRONMENT, capture_output=True, input=data)
    assert done.returncode == 0, done.stderr
    return done.stdout


def text(data):
    return data.decode(errors="replace")


def git_commits(path):
    return sorted(asked(path, "rev-list", "--branches", "--tags").decode().split())


def git_parents(path):
    lines = asked(path, "log", "--branches", "--tags", "--format=%H %P").decode().splitlines()
    return sorted((line.split()[0], parent) for line in lines for parent in line.split()[1:])


def git_people(path):
    out = asked(path, "log", "--branches", "--tags", "-z", "--encoding=UTF-8", "--format=%H%x01%an%x01%ae%x01%at%x01%cn%x01%ce%x01%ct%x01%B")
    return sorted(tuple(text(part) for part in entry.split(b"\x01")) for entry in out.split(b"\0") if entry)


def git_files(path):
    """commit, path, additions, deletions: against the first parent, renames as two files, as DevLake has it."""
    out = asked(path, "log", "--branches", "--tags", "-z", "--numstat", "--no-renames", "--diff-merges=first-parent", "--format=%x01%H")
    rows, commit = [], None
    for entry in out.split(b"\0"):
        entry = entry.lstrip(b"\n")
        if entry.startswith(b"\x01"):
            commit = entry[1:41].decode()
            entry = entry[41:].lstrip(b"\n")
        if b"\t" in entry:
            added, deleted, name = entry.split(b"\t", 2)
            count = [0 if value == b"-" else int(value) for value in (added, deleted)]
            rows.append((f"{commit}:{hashlib.sha256(name).hexdigest()}", commit, text(name), *count))
    return sorted(rows)


def git_refs(path, repo_id):
    out = asked(path, "for-each-ref", "--format=%(refname) %(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)",
                "refs/heads", "refs/tags").decode().splitlines()
    head = asked(path, "symbolic-ref", "HEAD").decode().strip()
    rows = []
    for line in out:
        name, sha = line.split()
        branch = name.startswith("refs/heads/")
        short = name.removeprefix("refs/heads/")
        rows.append((f"{repo_id}:{short}", short, sha, name == head, "BRANCH" if branch else "TAG"))
    return sorted(rows)


# ---- what is stored

def table(api, sql):
    return sorted(tuple(row.values()) for row in api.rows(sql))


def compare(api, path, repo_id):
    mine = f"sha in (select commit_sha from repo_commits where repo_id = '{repo_id}')"
    assert [row[0] for row in table(api, f"select commit_sha from repo_commits where repo_id = '{repo_id}'")] == git_commits(path)
    assert table(api, f"select commit_sha, parent_commit_sha from commit_parents where {mine.replace('sha in', 'commit_sha in', 1)}") == git_parents(path)
    people = table(api, "select sha, author_name, author_email, epoch(authored_date)::bigint::varchar, committer_name, committer_email, "
                        f"epoch(committed_date)::bigint::varchar, message from commits where {mine}")
    assert [row[:7] for row in people] == [row[:7] for row in git_people(path)]
    assert [row[7].strip() for row in people] == [row[7].strip() for row in git_people(path)]
    files = git_files(path)
    assert table(api, f"select id, commit_sha, file_path, additions, deletions from commit_files where {mine.replace('sha in', 'commit_sha in', 1)}") == files
    sums = {}
    for _, commit, _, added, deleted in files:
        one = sums.setdefault(commit, [0, 0])
        one[0] += added
        one[1] += deleted
    stored = table(api, f"select sha, additions, deletions from commits where {mine}")
    assert stored == sorted((sha, *sums.get(sha, [0, 0])) for sha in git_commits(path))
    assert table(api, f"select id, name, commit_sha, is_default, ref_type from refs where repo_id = '{repo_id}'") == git_refs(path, repo_id)


def start(api, repo_id, url, **options):
    task = {"plugin": "gitextractor", "options": {"repoId": repo_id, "url": str(url), "skipCommitFiles": False, **options}}
    return api.post("/pipelines", {"name": "git", "plan": [[task]]}, 201)["id"]


def run(api, repo_id, url, status="TASK_COMPLETED", **options):
    pipeline = api.server.wait(start(api, repo_id, url, **options))
    assert pipeline["status"] == status, pipeline["message"]
    return pipeline


def stamps(api):
    return [table(api, f"select count(*), max(updated_at) from {name}")
            for name in ("commits", "commit_files", "commit_parents", "repo_commits", "refs", "accounts")]


@pytest.fixture(scope="module")
def repos(tmp_path_factory):
    return tmp_path_factory.mktemp("repos")


@pytest.fixture(scope="module")
def server(repos):
    server = GitServer(repos, PASSWORD)
    yield server
    server.stop()


# ---- tests

def test_every_row_is_what_git_says(api, repos):
    repo = build(repos / "odd")
    run(api, "t:1", repo.path)
    compare(api, repo.path, "t:1")
    origins = table(api, "select distinct _raw_data_table, _raw_data_params from repo_commits where repo_id = 't:1'")
    assert origins == [("gitextractor", "t:1")]
    accounts = table(api, "select id, email, full_name, user_name from accounts where _raw_data_table = 'gitextractor'")
    assert ("ann@x.org", "ann@x.org", "Ann", "Ann") in accounts and ("m@x.org", "m@x.org", "M\xe4x", "M\xe4x") in accounts
    before = stamps(api)
    run(api, "t:1", repo.path)
    assert stamps(api) == before


def test_over_http_news_force_push_and_deleted_branches(api, repos, server):
    work = build(repos / "work")
    bare = repos / "remote.git"
    asked(repos, "clone", "-q", "--bare", str(work.path), str(bare))
    url = f"http://git:geheim-%25%2F%401@{server.host}/remote.git"
    pipeline = run(api, "t:2", url)
    compare(api, bare, "t:2")
    assert PASSWORD not in str(pipeline) and "geheim" not in str(pipeline)
    before, asked_before = stamps(api), server.requests
    run(api, "t:2", url)
    assert stamps(api) == before and server.requests - asked_before <= 3

    work.write("new.txt", "news\n")
    new = work.commit(b"news")
    work.git("push", "-q", str(bare), "main")
    older = table(api, "select sha, updated_at from commits order by 1")
    run(api, "t:2", url)
    compare(api, bare, "t:2")
    assert set(table(api, "select sha, updated_at from commits order by 1")) - set(older) == {
        row for row in table(api, "select sha, updated_at from commits") if row[0] == new}

    work.git("reset", "-q", "--hard", "HEAD~2")
    work.commit(b"another history")
    work.git("push", "-q", "--force", str(bare), "main")
    work.git("push", "-q", str(bare), "--delete", "pages")
    run(api, "t:2", url)
    compare(api, bare, "t:2")
    assert new not in git_commits(bare)

    wrong = run(api, "t:3", f"http://git:wrong-one@{server.host}/remote.git", status="TASK_FAILED")
    assert "credentials" in wrong["message"] and "wrong-one" not in wrong["message"]
    missing = run(api, "t:3", f"http://git:geheim-%25%2F%401@{server.host}/none.git", status="TASK_FAILED")
    assert "none.git" in missing["message"] and "geheim" not in missing["message"]


def test_nothing_is_shown_of_the_password(api, repos, server):
    url = f"http://git:geheim-%25%2F%401@{server.host}/remote.git"
    number = start(api, "t:2", url, password="")
    api.server.wait(number)
    shown = str(api.get(f"/pipelines/{number}")) + str(api.get(f"/pipelines/{number}/tasks"))
    assert "geheim" not in shown and "http://***@" in shown
    logs = "".join(path.read_text(errors="replace") for path in api.tarn.home.rglob("*.log"))
    assert "remote.git" not in logs or "geheim" not in logs
    stored = b"".join(path.read_bytes() for path in (api.tarn.home / "git").rglob("*") if path.is_file())
    assert b"geheim" not in stored
    assert list((api.tarn.home / "git" / "work").iterdir()) == []


def test_less_is_read_on_request(api, repos):
    run(api, "t:4", repos / "odd", skipCommitFiles=None, excludeFileExtensions=[".LOCK"])
    assert table(api, "select distinct c.additions from commits c join repo_commits r on r.commit_sha = c.sha where repo_id = 't:4' "
                      "and message like 'on main%'") == [(0,)]
    run(api, "t:5", repos / "odd", skipCommitStat=True)
    assert [row[0] for row in table(api, "select commit_sha from repo_commits where repo_id = 't:5'")] == git_commits(repos / "odd")
    # Other settings: read again, and the rows are git's once more.
    run(api, "t:4", repos / "odd")
    compare(api, repos / "odd", "t:4")


def test_empty_missing_and_shallow(api, repos):
    empty = Repo(repos / "empty")
    run(api, "t:6", empty.path)
    assert table(api, "select 1 from repo_commits where repo_id = 't:6'") == []
    assert "no-such" in run(api, "t:6", repos / "no-such", status="TASK_FAILED")["message"]
    (repos / "odd" / "inner").mkdir(exist_ok=True)
    run(api, "t:6", repos / "odd" / "inner", status="TASK_FAILED")
    refused = run(api, "t:6", "http://127.0.0.1:1/x.git", status="TASK_FAILED")
    assert "127.0.0.1:1" in refused["message"]
    assert "not allowed" in run(api, "t:6", "ext::sh -c true", status="TASK_FAILED")["message"]

    shallow = repos / "shallow"
    asked(repos, "clone", "-q", "--depth", "2", "--single-branch", f"file://{repos / 'odd'}", str(shallow))
    edges = set((shallow / ".git" / "shallow").read_text().split())
    run(api, "t:7", shallow)
    there = [row[0] for row in table(api, "select commit_sha from repo_commits where repo_id = 't:7'")]
    assert there == sorted(set(git_commits(shallow)) - edges) and there
    asked(shallow, "fetch", "-q", "--unshallow")
    run(api, "t:7", shallow)
    compare(api, shallow, "t:7")


def spoil(path, sha):
    file = path / ".git" / "objects" / sha[:2] / sha[2:]
    os.chmod(file, 0o644)
    file.write_bytes(b"spoilt")


def test_damaged_objects(api, repos):
    repo = Repo(repos / "damaged")
    for n in range(30):
        repo.write(f"f{n % 5}.txt", f"{n}\n" * (n + 1))
        repo.commit(b"c%d" % n)
    whole = git_files(repo.path)
    blob = repo.git("rev-parse", "HEAD~10:f4.txt").decode().strip()
    tree = repo.git("rev-parse", "HEAD~20^{tree}").decode().strip()
    spoil(repo.path, blob)
    spoil(repo.path, tree)
    run(api, "t:8", repo.path)
    assert [row[0] for row in table(api, "select commit_sha from repo_commits where repo_id = 't:8'")] == git_commits(repo.path)
    stored = set(table(api, "select id, commit_sha, file_path, additions, deletions from commit_files where commit_sha in "
                            "(select commit_sha from repo_commits where repo_id = 't:8') and additions is not null"))
    assert stored < set(whole)
    # The tree stands in two comparisons, the blob in two.
    assert len(whole) - len(stored) == 4
    reasons = table(api, "select path, reason from _tarn_rejects where raw_table = 'gitextractor' and params = 't:8'")
    assert len(reasons) == 4
    commit = repo.git("rev-parse", "HEAD~5").decode().strip()
    spoil(repo.path, commit)
    assert "fsck" in run(api, "t:9", repo.path, status="TASK_FAILED")["message"]


def big(repos):
    """A repository whose reading takes a while: made by fast-import."""
    path = repos / "big.git"
    if path.exists():
        return path
    asked(repos, "init", "-q", "--bare", "-b", "main", str(path))
    rng, out = random.Random(5), []
    lines = [[f"{n} {rng.random()}" for n in range(300)] for _ in range(40)]
    for n in range(9000):
        body = lines[n % 40]
        body[rng.randrange(300)] = f"{n} {rng.random()}"
        content = "\n".join(body) + "\n"
        out.append(f"commit refs/heads/main\nmark :{n + 1}\ncommitter A <a@x> {1_600_000_000 + n} +0000\ndata 2\nc\n" +
                   (f"from :{n}\n" if n else "") + f"M 100644 inline d/{n % 40}.txt\ndata {len(content)}\n{content}\n")
    asked(path, "fast-import", "--quiet", data="".join(out).encode())
    return path


def code_like(repos):
    """Edits of a text whose lines repeat, of few and of most lines; texts and binary files above the 8 MB that are compared in memory; a submodule."""
    path = repos / "code.git"
    asked(repos, "init", "-q", "--bare", "-b", "main", str(path))
    rng, out = random.Random(7), []
    lines = []

    def commit(*changes):
        number = len(out) + 1
        body = "".join(f"M {mode} inline {name}\ndata {len(content)}\n{content}\n" if mode != "160000" else f"M {mode} {content} {name}\n"
                       for mode, name, content in changes)
        out.append(f"commit refs/heads/main\nmark :{number}\ncommitter A <a@x> {1_600_000_000 + number} +0000\ndata 2\nc\n" +
                   (f"from :{number - 1}\n" if number > 1 else "") + body)

    for n in range(400):
        for _ in range(200 if n % 50 == 49 else rng.randint(1, 6)):
            at = rng.randint(0, len(lines))
            fresh = [rng.choice(["", "", "}", "    }", "return;", f"line {rng.randrange(500)}", f"new {rng.random()}"]) for _ in range(rng.randint(0, 14))]
            lines[at:at + rng.choice([0, 0, 1, 3, 12])] = fresh
        commit(("100644", "code.c", "\n".join(lines) + ("\n" if rng.random() < 0.8 else "")))
    large = [f"{n} and so on until the line is long enough" for n in range(200_000)]
    for n in range(2):
        large[n * 1000] = "another"
        commit(("100644", "large.txt", "\n".join(large)), ("100644", "large.bin", f"{n}\0" + "x" * 9_000_000), ("160000", "sub", str(n) * 40))
    asked(path, "fast-import", "--quiet", data="".join(out).encode())
    return path


def test_counts_are_gits_where_lines_repeat(api, repos):
    path = code_like(repos)
    run(api, "t:code", path)
    compare(api, path, "t:code")


def children(pid):
    return subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()


def test_cancel_kill_and_going_on(program, repos, tmp_path):
    path = big(repos)
    tarn = Tarn(program, tmp_path / "home")
    server = Served(tarn)
    body = {"name": "git", "plan": [[{"plugin": "gitextractor", "options": {"repoId": "big", "url": str(path), "skipCommitFiles": False}}]]}
    number = server.call("POST", "/pipelines", body).json()["id"]
    while not children(server.process.pid):
        time.sleep(0.02)
    server.call("DELETE", f"/pipelines/{number}")
    began = time.time()
    assert server.wait(number)["status"] == "TASK_CANCELLED"
    assert time.time() - began < 10 and children(server.process.pid) == []
    assert list((tarn.home / "git" / "work").iterdir()) == []

    number = server.call("POST", "/pipelines", body).json()["id"]
    while not (running := children(server.process.pid)):
        time.sleep(0.02)
    child = running[0]
    server.stop(signal.SIGKILL)
    for _ in range(100):
        if not os.path.exists(f"/proc/{child}"):
            break
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{child}")

    server = Served(tarn)
    try:
        pipeline = server.wait(number)  # goes on by itself
        assert pipeline["status"] == "TASK_COMPLETED", pipeline["message"]
        assert list((tarn.home / "git" / "work").iterdir()) == []
    finally:
        server.stop()
    assert tarn.value("select count(*) from repo_commits where repo_id = 'big'") == 9000
    assert tarn.value("select count(distinct id) from commit_files") == tarn.value("select count(*) from commit_files") == 9000
    sums = tarn.query("select sum(additions)::bigint as a, sum(deletions)::bigint as d from commits")[0]
    files = git_files(path)
    assert (sums["a"], sums["d"]) == (sum(row[3] for row in files), sum(row[4] for row in files))


def test_a_blueprint_reads_the_repository_beside_its_scope(api, repos, server):
    connection = api.connection()
    url = f"http://{server.host}/remote.git"
    # The fake's token is the server's password here.
    server.password, kept = connection_token(), server.password
    scope = api.put(f"/plugins/github/connections/{connection['id']}/scopes",
                    {"data": [{"githubId": 77, "fullName": "octo/alpha", "name": "alpha", "cloneUrl": url}]})[0]
    blueprint = api.post("/blueprints", {"name": api.name("git"), "mode": "NORMAL", "enable": True, "cronConfig": "manual", "isManual": True,
                                         "connections": [{"pluginName": "github", "connectionId": connection["id"],
                                                          "scopes": [{"scopeId": str(scope["githubId"])}]}]}, 201)
    pipeline = api.post(f"/blueprints/{blueprint['id']}/trigger", {})
    done = api.server.wait(pipeline["id"])
    tasks = [task for stage in done["plan"] for task in stage]
    git = next(task for task in tasks if task["plugin"] == "gitextractor")
    assert git["options"]["repoId"] == f"github:GithubRepo:{connection['id']}:77"
    assert connection_token() not in str(done)
    compare(api, repos / "remote.git", git["options"]["repoId"])
    server.password = kept


def connection_token():
    from conftest import TOKEN
    return TOKEN


def test_this_projects_own_history(api):
    if not (ROOT / ".git").exists() or asked(ROOT, "rev-parse", "--is-shallow-repository") != b"false\n":
        pytest.skip("this checkout has no whole history")
    run(api, "t:own", ROOT)
    compare(api, ROOT, "t:own")
