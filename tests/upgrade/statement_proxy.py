"""Stands between a program and a database server, counts the statements that write, and does something in front of one of them or behind it.

    with StatementProxy(server) as proxy:
        proxy.at(17, process.kill, delivered=False)   # the 17th does not arrive
        ... a program that connects to proxy.port ...
        proxy.count

What only reads or sets the session is not counted; a transaction counts once, at its beginning: until its end nothing of it stays. No TLS.
"""

import contextlib
import socket
import threading

BEGINS, ENDS = (b"begin", b"start transaction"), (b"commit", b"rollback")
WRITES = (b"create", b"alter", b"insert", b"update", b"delete", b"drop", b"rename", b"replace", b"truncate", b"load", b"copy", b"select setval", *BEGINS)


class MySql:
    """Of one connection: what a client sends, packet by packet, with the statement that each runs."""

    QUERY, PREPARE, EXECUTE = 0x03, 0x16, 0x17

    def __init__(self):
        self.prepared = {}  # number -> text; None: the one that waits for its number
        self.logged_in = False

    def size(self, data):
        """Of the first packet; None: it is not known yet."""
        return 4 + int.from_bytes(data[:3], "little") if len(data) >= 4 else None

    def statement(self, packet):
        login, self.logged_in = not self.logged_in, True
        if login or packet[3] != 0:
            return b""
        kind, text = packet[4], packet[5:105].lstrip().lower()
        if kind == self.PREPARE:
            self.prepared[None] = text
        return text if kind == self.QUERY else self.prepared.get(packet[5:9], b"") if kind == self.EXECUTE else b""

    def answered(self, data):
        if None in self.prepared:  # the client waits for the answer, so this is it
            text = self.prepared.pop(None)
            if data[4] == 0:
                self.prepared[data[5:9]] = text


class Postgres:
    QUERY, PARSE, BIND, EXECUTE = b"Q", b"P", b"B", b"E"
    ASKS_FOR_TLS = 80877103

    def __init__(self):
        self.prepared = {}  # name -> text
        self.bound = b""
        self.logged_in = False

    def size(self, data):
        if not self.logged_in:
            return int.from_bytes(data[:4], "big") if len(data) >= 4 else None
        return 1 + int.from_bytes(data[1:5], "big") if len(data) >= 5 else None

    def statement(self, packet):
        if not self.logged_in:
            self.logged_in = int.from_bytes(packet[4:8], "big") != self.ASKS_FOR_TLS
            return b""
        kind, body = packet[:1], packet[5:]
        if kind == self.PARSE:
            name, text = body.split(b"\0")[:2]
            self.prepared[name] = text[:100].lstrip().lower()
        elif kind == self.BIND:
            self.bound = self.prepared.get(body.split(b"\0")[1], b"")
        return body[:100].lstrip().lower() if kind == self.QUERY else self.bound if kind == self.EXECUTE else b""

    def answered(self, data):
        pass


class StatementProxy:
    def __init__(self, server):
        self.target = server.port
        self.protocol = {"mysql": MySql, "postgres": Postgres}[server.engine]
        self.count = 0
        self.kinds = []  # the beginning of each
        self.lock = threading.Lock()
        self.number, self.action, self.delivered = 0, None, True

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()

    def at(self, number, action, delivered=True):
        """`action()` at that statement; it arrives at the server, but the answer is lost, or it does not arrive."""
        self.number, self.action, self.delivered = number, action, delivered

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            session = self.protocol()
            threading.Thread(target=self.requests, args=(client, server, session), daemon=True).start()
            threading.Thread(target=self.answers, args=(server, client, session), daemon=True).start()

    def answers(self, server, client, session):
        with contextlib.suppress(OSError):
            while data := server.recv(1 << 16):
                session.answered(data)
                client.sendall(data)
        self.end(client, server)

    def end(self, *sockets):
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def requests(self, client, server, session):
        data, inside = b"", False
        try:
            while True:
                piece = client.recv(1 << 16)
                if not piece:
                    break
                data += piece
                while (size := session.size(data)) is not None and len(data) >= size:
                    packet, data = data[:size], data[size:]
                    text = session.statement(packet)
                    counts = text.startswith(WRITES) and not inside
                    inside = text.startswith(BEGINS) or inside and not (text.startswith(ENDS) and b"savepoint" not in text)
                    if counts and self.reached(text):
                        if self.delivered:
                            server.sendall(packet)
                        self.action()
                        return self.end(client, server)
                    server.sendall(packet)
        except OSError:
            pass
        self.end(client, server)

    def reached(self, text):
        with self.lock:
            self.count += 1
            self.kinds.append(text.decode(errors="replace"))
            return self.action is not None and self.count == self.number
