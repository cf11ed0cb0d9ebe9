"""What stands around remote repositories: an sshd with its keys, certificates, a proxy that connects, and a watch over all command lines."""

import base64
import contextlib
import getpass
import os
import select
import socket
import subprocess
import threading
import time
from pathlib import Path

SSHD = "/usr/sbin/sshd"
PRIVILEGES = Path("/run/sshd")  # sshd of root wants it


def done(*arguments, **options):
    ended = subprocess.run(list(map(str, arguments)), capture_output=True, text=True, **options)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def make_key(path, passphrase=""):
    """The private key's text; its public part lies in `<path>.pub`."""
    done("ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", "test", "-f", path)
    return path.read_text()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Sshd:
    """On loopback, for this user, with the keys of `authorized` (a file). Every command begins with a pause, so that the watch sees it."""

    def __init__(self, folder, authorized):
        self.folder, self.port = folder, free_port()
        self.made_folder = not PRIVILEGES.exists() and os.geteuid() == 0
        if self.made_folder:
            PRIVILEGES.mkdir(mode=0o755)
        make_key(folder / "host")
        (folder / "config").write_text(f"""
ListenAddress 127.0.0.1
Port {self.port}
HostKey {folder}/host
PidFile none
AuthorizedKeysFile {authorized}
StrictModes no
UsePAM yes
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
ForceCommand sleep 0.2; eval "$SSH_ORIGINAL_COMMAND"
""")
        self.start()

    def start(self):
        self.process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(self.folder / "config")], stderr=(self.folder / "log").open("a"))
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text())

    def new_host_key(self):
        self.end()
        for name in ("host", "host.pub"):
            (self.folder / name).unlink()
        make_key(self.folder / "host")
        self.start()

    def url(self, path, host="127.0.0.1"):
        return f"ssh://{getpass.getuser()}@{host}:{self.port}{path}"

    def end(self):
        self.process.terminate()
        self.process.wait(10)

    def stop(self):
        self.end()
        if self.made_folder:
            PRIVILEGES.rmdir()


class Authority:
    """A certificate authority of its own."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder, self.file = folder, folder / "ca.pem"
        done("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=A test's authority",
             "-addext", "basicConstraints=critical,CA:TRUE", "-keyout", folder / "ca.key", "-out", self.file)

    def certificate(self, *names):
        """A file with certificate and key of 127.0.0.1 and the names."""
        key, request, out = (self.folder / f"server.{end}" for end in ("key", "csr", "pem"))
        done("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=server", "-keyout", key, "-out", request)
        extensions = self.folder / "extensions"
        extensions.write_text("subjectAltName=" + ",".join(["IP:127.0.0.1", *(f"DNS:{name}" for name in names)]))
        done("openssl", "x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self.folder / "ca.key", "-CAcreateserial",
             "-days", "2", "-extfile", extensions, "-out", out)
        out.write_text(out.read_text() + key.read_text())
        return out


class Proxy:
    """Understands CONNECT alone; every host is this machine. With `login` ("user:password") it wants to be told so."""

    def __init__(self, login=None):
        self.login, self.hosts = login, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with client, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                piece = client.recv(4096)
                if not piece:
                    return
                head += piece
            lines = head.decode().split("\r\n")
            wanted = self.login and "Proxy-Authorization: Basic " + base64.b64encode(self.login.encode()).decode()
            if wanted and wanted not in lines:
                client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"proxy\"\r\n"
                               b"Content-Length: 0\r\nConnection: close\r\n\r\n")
                return
            host, _, port = lines[0].split()[1].rpartition(":")
            self.hosts.append(host)
            with socket.create_connection(("127.0.0.1", int(port))) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                self.relay({client: server, server: client})

    @staticmethod
    def relay(other):
        while True:
            for end in select.select(list(other), [], [])[0]:
                piece = end.recv(65536)
                if not piece:
                    return
                other[end].sendall(piece)

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@contextlib.contextmanager
def watched():
    """The command lines of all processes that run meanwhile, as a set of bytes."""
    seen, ended = set(), threading.Event()

    def watch():
        while not ended.is_set():
            for process in Path("/proc").iterdir():
                if process.name.isdigit():
                    with contextlib.suppress(OSError):
                        seen.add((process / "cmdline").read_bytes())
            time.sleep(0.01)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()
