"""Remote repositories over ssh and https, with keys, passphrases, tokens, a private authority and proxies; nothing tells a secret."""

import contextlib
import os

import pytest

import github
from api_fixtures import Api
from conftest import SIZES, Served, Tarn
from git_remotes import Authority, Proxy, Sshd, make_key, watched
from git_server import GitServer
from test_git import asked, build, compare, run, stamps, table

PASSWORD = "geheim-%/@1"
IN_URL = "geheim-%25%2F%401"
PASSPHRASE = "sesam '$(x)\" 7"
TOKEN = "ghp_000testtoken000"
PROXY_LOGIN = "carl:sluice-gate"
NAME = "git.example.test"  # only the proxy knows where that is
SECRETS = ("geheim", "sesam", TOKEN, "sluice-gate", "PRIVATE KEY")


class World:
    """The servers around one repository, and its keys."""

    def __init__(self, folder):
        self.folder = folder
        self.work = build(folder / "work")
        self.bare = folder / "served" / "remote.git"
        self.bare.parent.mkdir()
        asked(folder, "clone", "-q", "--bare", str(self.work.path), str(self.bare))
        (folder / "keys").mkdir()
        self.key, self.locked_key = make_key(folder / "keys" / "plain"), make_key(folder / "keys" / "locked", PASSPHRASE)
        self.other_key = make_key(folder / "keys" / "other")
        authorized = folder / "keys" / "authorized"
        authorized.write_text("".join((folder / "keys" / f"{name}.pub").read_text() for name in ("plain", "locked")))
        (folder / "sshd").mkdir()
        self.authority = Authority(folder / "authority")
        certificate = self.authority.certificate(NAME)
        served = self.bare.parent
        self.servers = [Sshd(folder / "sshd", authorized), GitServer(served, PASSWORD, certificate=certificate),
                        GitServer(served, "", user=TOKEN, certificate=certificate),
                        GitServer(served, PASSWORD, certificate=Authority(folder / "strangers").certificate())]
        self.sshd, self.https, self.token_server, self.stranger = self.servers
        for server in self.servers[1:]:
            server.delay = 0.2  # time for the watch to see who asks

    def stop(self):
        for server in self.servers:
            server.stop()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("remote"))
    yield world
    world.stop()


@pytest.fixture(scope="module")
def api(program, world, tmp_path_factory):
    tarn = Tarn(program, tmp_path_factory.mktemp("home") / "home")
    tarn.environment["TARN_CA_FILE"] = str(world.authority.file)
    with github.start(**SIZES) as fake:
        server = Served(tarn)
        yield Api(tarn, server, fake)
        server.stop()


@contextlib.contextmanager
def silent(api, *programs):
    """No secret stands in an argument of any process, in what the server logs or in what it keeps; the programs were seen."""
    with watched() as lines:
        yield
    for program in programs:
        assert any(program in line for line in lines), (program, lines)
    log = os.pread(api.server.log.fileno(), 1 << 24, 0)
    kept = b"".join(path.read_bytes() for path in api.tarn.home.rglob("*") if path.is_file())
    for secret in SECRETS:
        assert not [line for line in lines if secret.encode() in line], secret
        assert secret.encode() not in log and secret.encode() not in kept, secret
    assert list((api.tarn.home / "git" / "work").iterdir()) == []


def copies(api):
    """Every file of the kept copies, with its time."""
    return {str(path): path.stat().st_mtime_ns for path in (api.tarn.home / "git").rglob("*") if path.is_file()}


def refused(api, repo_id, url, *words, **options):
    """The run fails with these words; rows and copies stay as they are."""
    rows, files = stamps(api), copies(api)
    pipeline = run(api, repo_id, url, status="TASK_FAILED", **options)
    for word in words:
        assert word in pipeline["message"], pipeline["message"]
    shown = str(pipeline) + str(api.get(f"/pipelines/{pipeline['id']}/tasks"))
    assert not [secret for secret in SECRETS if secret in shown]
    assert stamps(api) == rows and copies(api) == files


# ---- ssh

@pytest.mark.parametrize("kind", ["plain", "locked"])
def test_ssh_with_a_key(api, world, kind):
    repo_id, url = f"ssh:{kind}", world.sshd.url(world.bare)
    key = {"plain": {"privateKey": world.key}, "locked": {"privateKey": world.locked_key, "passphrase": PASSPHRASE}}[kind]
    with silent(api, b"ssh\0-F", b"git\0fetch"):
        run(api, repo_id, url, **key)
    compare(api, world.bare, repo_id)
    before = stamps(api)
    run(api, repo_id, url, **key)
    assert stamps(api) == before


def test_ssh_refusals(api, world):
    run(api, "ssh:plain", world.sshd.url(world.bare), privateKey=world.key)
    url = world.sshd.url(world.bare)
    with silent(api, b"ssh\0-F"):
        refused(api, "ssh:plain", url, "Permission denied", "Check the private key", privateKey=world.other_key)
        refused(api, "ssh:plain", url, "passphrase", privateKey=world.locked_key, passphrase="sesam wrong")
        refused(api, "ssh:plain", url, "passphrase", privateKey=world.locked_key)
        refused(api, "ssh:plain", url, "Check the private key", privateKey=world.key.replace("b3BlbnNzaC1rZXk", "AAAAAAAAAAAAAAA"))
        refused(api, "ssh:plain", world.sshd.url(world.folder / "none.git"), "none.git", "Check the address", privateKey=world.key)
        refused(api, "ssh:plain", "ssh://git@127.0.0.1:1/x.git", "127.0.0.1", "refused", privateKey=world.key)


def test_ssh_through_a_proxy(api, world):
    proxy = Proxy()
    url = world.sshd.url(world.bare, NAME)
    try:
        with silent(api, b"ssh\0-F", b"nc\0-X"):
            run(api, "ssh:proxy", url, privateKey=world.key, proxy=f"http://127.0.0.1:{proxy.port}")
        compare(api, world.bare, "ssh:proxy")
        assert set(proxy.hosts) == {NAME}
    finally:
        proxy.stop()
    refused(api, "ssh:proxy", url, f"Check the proxy http://127.0.0.1:{proxy.port}", privateKey=world.key,
            proxy=f"http://127.0.0.1:{proxy.port}")
    refused(api, "ssh:proxy", url, "proxy", "https", privateKey=world.key, proxy=f"http://{PROXY_LOGIN}@127.0.0.1:{proxy.port}")


def test_ssh_server_with_another_key_than_before(api, world):
    url = world.sshd.url(world.bare)
    run(api, "ssh:plain", url, privateKey=world.key)
    world.sshd.new_host_key()
    refused(api, "ssh:plain", url, "Host key verification failed", "known_hosts", privateKey=world.key)


# ---- https

def test_https_with_a_private_authority(api, world):
    address = f"127.0.0.1:{world.https.port}/remote.git"
    with silent(api, b"git-remote-https"):
        run(api, "tls:url", f"https://git:{IN_URL}@{address}")
        run(api, "tls:options", f"https://{address}", user="git", password=PASSWORD)
        run(api, "tls:token", f"https://{TOKEN}@127.0.0.1:{world.token_server.port}/remote.git")
    for name in ("url", "options", "token"):
        compare(api, world.bare, f"tls:{name}")


def test_https_refusals(api, world):
    address = f"127.0.0.1:{world.https.port}/remote.git"
    run(api, "tls:url", f"https://git:{IN_URL}@{address}")
    with silent(api, b"git-remote-https"):
        refused(api, "tls:url", f"https://git:geheim-wrong@{address}", "Check the credentials")
        refused(api, "tls:url", f"https://{address}", "Check the credentials")
        refused(api, "tls:token", f"https://{TOKEN}0@127.0.0.1:{world.token_server.port}/remote.git", "Check the credentials")
        asked_before = world.stranger.requests
        refused(api, "tls:url", f"https://git:{IN_URL}@127.0.0.1:{world.stranger.port}/remote.git", "certificate", "TARN_CA_FILE")
        assert world.stranger.requests == asked_before
        refused(api, "tls:url", f"https://git:{IN_URL}@127.0.0.1:1/remote.git", "127.0.0.1:1")


def test_https_through_a_proxy(api, world):
    proxy = Proxy(PROXY_LOGIN)
    url = f"https://git:{IN_URL}@{NAME}:{world.https.port}/remote.git"
    address = f"127.0.0.1:{proxy.port}"
    try:
        with silent(api, b"git-remote-https"):
            run(api, "tls:proxy", url, proxy=f"http://{PROXY_LOGIN}@{address}")
            compare(api, world.bare, "tls:proxy")
            assert set(proxy.hosts) == {NAME}
            refused(api, "tls:proxy", url, "proxy", proxy=f"http://carl:sluice-gate-no@{address}")
            refused(api, "tls:proxy", url, NAME, "Check the address")  # without the proxy nobody knows the name
    finally:
        proxy.stop()
    refused(api, "tls:proxy", url, f"Check the proxy http://{address}", proxy=f"http://{PROXY_LOGIN}@{address}")


def test_news_after_all_refusals(api, world):
    """What was refused has spoilt nothing: the next run brings the news alone."""
    world.work.write("news.txt", "news\n")
    world.work.commit(b"news")
    world.work.git("push", "-q", str(world.bare), "main")
    run(api, "tls:url", f"https://git:{IN_URL}@127.0.0.1:{world.https.port}/remote.git")
    compare(api, world.bare, "tls:url")
    assert table(api, "select message from commits where sha = (select commit_sha from refs where id = 'tls:url:main')") == [("news\n",)]
