"""Stands between a program and MariaDB, counts the statements that write, and does something in front of one of them or behind it.

    with StatementProxy(server.port) as proxy:
        proxy.at(17, process.kill, delivered=False)   # the 17th does not arrive
        ... a program that connects to proxy.port ...
        proxy.count

Statements are those of COM_QUERY and COM_STMT_EXECUTE; what only reads or sets the session is not counted. No TLS.
"""

import contextlib
import socket
import threading

QUERY, PREPARE, EXECUTE = 0x03, 0x16, 0x17
WRITES = (b"create", b"alter", b"insert", b"update", b"delete", b"drop", b"rename", b"replace", b"truncate", b"load", b"commit", b"start")


class StatementProxy:
    def __init__(self, port):
        self.target = port
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
            prepared = {}  # number -> text; None: the one that waits for its number
            threading.Thread(target=self.requests, args=(client, server, prepared), daemon=True).start()
            threading.Thread(target=self.answers, args=(server, client, prepared), daemon=True).start()

    def answers(self, server, client, prepared):
        with contextlib.suppress(OSError):
            while data := server.recv(1 << 16):
                if None in prepared:  # the client waits for the answer, so this is it
                    text = prepared.pop(None)
                    if data[4] == 0:
                        prepared[data[5:9]] = text
                client.sendall(data)
        self.end(client, server)

    def end(self, *sockets):
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def requests(self, client, server, prepared):
        data, first = b"", True
        try:
            while True:
                piece = client.recv(1 << 16)
                if not piece:
                    break
                data += piece
                while len(data) >= 4 and len(data) >= 4 + int.from_bytes(data[:3], "little"):
                    size = 4 + int.from_bytes(data[:3], "little")
                    packet, data = data[:size], data[size:]
                    login, first = first, False
                    text = b"" if login or packet[3] != 0 else self.text_of(packet, prepared)
                    if text.startswith(WRITES) and self.reached(text):
                        if self.delivered:
                            server.sendall(packet)
                        self.action()
                        return self.end(client, server)
                    server.sendall(packet)
        except OSError:
            pass
        self.end(client, server)

    def text_of(self, packet, prepared):
        """The beginning of the statement that is run; "" where none is."""
        kind, text = packet[4], packet[5:105].lstrip().lower()
        if kind == PREPARE:
            prepared[None] = text
        return text if kind == QUERY else prepared.get(packet[5:9], b"") if kind == EXECUTE else b""

    def reached(self, text):
        with self.lock:
            self.count += 1
            self.kinds.append(text.decode(errors="replace"))
            return self.action is not None and self.count == self.number
