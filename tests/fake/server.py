"""The HTTP part that all fake servers share.

Promises: HTTP/1.1 with keep-alive and pipelining on the loopback only; port 0 picks a free port; gzip when asked for
and the body exceeds 1 kB; the control API below `/_fake/`:

    POST   /_fake/faults     rules as in faults.py, added to the present ones; GET shows them with hit counts
    DELETE /_fake/faults
    GET    /_fake/requests   {requests, counts, statuses, total} since the last reset; ?list=0 leaves requests out
    DELETE /_fake/requests
    POST   /_fake/change     one instruction or a list of them, given to the application
    POST   /_fake/limits     given to the application's limits; GET shows them
    GET    /_fake/state      summary of the application

An application has: `limits` or None, `canonical(path)`, `stream(path)`, `handle(request)` -> Response, `change(dict)`
-> dict and `state()` -> dict. All of them run on the event loop's thread, one at a time.

`FakeServer(app).start()` serves in a thread of this process; `run(app, ...)` serves a command line.
"""

import asyncio
import collections
import gzip
import http.client
import json
import signal
import sys
import threading
import time
import traceback
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote

from faults import Faults

GZIP_FROM = 1024
LOG_SIZE = 200_000
MAX_HEAD = 65_536
JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
REASONS = {status.value: status.phrase for status in HTTPStatus}
GARBAGE = b"<!DOCTYPE html>\n<html><body><h1>Whoa there!</h1><p>Upstream unicorn.</p></body></html>\n"


class Request:
    __slots__ = ("method", "target", "path", "query", "headers", "body", "version")

    def __init__(self, head):
        lines = head.split("\r\n")
        self.method, self.target, self.version = lines[0].split(" ")
        self.path, _, self.query = self.target.partition("?")
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()
        self.body = b""

    def header(self, name):
        return self.headers.get(name, "")

    def params(self):
        return dict(parse_qsl(self.query, keep_blank_values=True))

    def json(self):
        return json.loads(self.body or b"null")

    def keeps_alive(self):
        connection = self.header("connection").lower()
        return connection != "close" and (self.version == "HTTP/1.1" or connection == "keep-alive")


class Body:
    """Bytes that compress themselves once."""
    __slots__ = ("raw", "packed")

    def __init__(self, raw):
        self.raw = raw
        self.packed = None

    def gzipped(self):
        if self.packed is None:
            self.packed = gzip.compress(self.raw, 5, mtime=0)
        return self.packed


class Response:
    """`head` holds complete header lines, each ended by CRLF, in addition to those of the connection."""
    __slots__ = ("status", "body", "head", "content_type")

    def __init__(self, status, body=b"", head="", content_type=JSON):
        self.status = status
        self.body = body if isinstance(body, Body) else Body(body)
        self.head = head
        self.content_type = content_type


def json_response(status, value, head=""):
    return Response(status, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), head)


def header_lines(headers):
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items())


class RequestLog:
    def __init__(self):
        self.clear()

    def clear(self):
        self.entries = collections.deque(maxlen=LOG_SIZE)
        self.counts = collections.Counter()
        self.statuses = collections.Counter()
        self.total = 0

    def add(self, request, stream, status, fault):
        self.total += 1
        self.counts[stream] += 1
        self.statuses[status] += 1
        self.entries.append((time.time(), request, stream, status, fault))

    def report(self, with_list):
        return {
            "requests": [entry_json(*entry) for entry in self.entries] if with_list else [],
            "counts": dict(self.counts),
            "statuses": {str(status): count for status, count in self.statuses.items()},
            "total": self.total,
        }


def entry_json(when, request, stream, status, fault):
    return {"method": request.method, "path": request.path, "query": request.query, "stream": stream,
            "status": status, "t": round(when, 6), "conditional": "if-none-match" in request.headers,
            "auth": request.header("authorization"), "fault": fault}


class Core:
    """What one server knows apart from its connections: faults, log, application, control API."""

    def __init__(self, app):
        self.app = app
        self.faults = Faults()
        self.log = RequestLog()
        self.date = (0, "")

    def answer(self, request):
        """The response and the fault kind to carry out on the wire, if any."""
        if request.path.startswith("/_fake/"):
            return self.control(request), None
        path = self.app.canonical(request.path)
        rule = None
        if self.faults.rules:
            rule = self.faults.pick(path + ("?" + request.query if request.query else ""))
        response = self.safely(self.faulty, rule, request) if rule else self.safely(self.app.handle, request)
        kind = rule.kind if rule else None
        self.log.add(request, self.app.stream(path), 0 if kind == "drop" else response.status, kind)
        return response, rule

    def safely(self, handle, *arguments):
        """A defect of the fake shows as 599 and a trace on standard error, which no client takes for the real thing."""
        try:
            return handle(*arguments)
        except Exception as problem:
            traceback.print_exc()
            return json_response(599, {"message": f"defect of the fake: {problem!r}"})

    def faulty(self, rule, request):
        if rule.kind == "status":
            return status_fault(rule.spec)
        if rule.kind == "garbage":
            return Response(200, GARBAGE, content_type=HTML)
        if rule.kind == "drop":
            return Response(500)
        response = self.app.handle(request)
        if rule.kind == "truncate_json":
            half = response.body.raw[:len(response.body.raw) // 2]
            return Response(response.status, half, response.head)
        return response

    def control(self, request):
        handler = getattr(self, f"{request.method.lower()}_{request.path[len('/_fake/'):]}", None)
        if handler is None:
            return json_response(404, {"error": f"no control endpoint {request.method} {request.path}"})
        try:
            return json_response(200, handler(request))
        except Exception as problem:  # a wrong instruction must fail the test that sent it, not the server
            return json_response(400, {"error": f"{type(problem).__name__}: {problem}"})

    def post_faults(self, request):
        self.faults.add(request.json())
        return self.faults.report()

    def get_faults(self, _request):
        return self.faults.report()

    def delete_faults(self, _request):
        self.faults.clear()
        return []

    def get_requests(self, request):
        return self.log.report(request.params().get("list") != "0")

    def delete_requests(self, _request):
        self.log.clear()
        return {}

    def post_change(self, request):
        instructions = request.json()
        if isinstance(instructions, list):
            return [self.app.change(instruction) for instruction in instructions]
        return self.app.change(instructions)

    def post_limits(self, request):
        return self.app.limits.configure(request.json())

    def get_limits(self, _request):
        return self.app.limits.report()

    def get_state(self, _request):
        return {**self.app.state(), "requests": self.log.total, "faults": len(self.faults.rules)}

    def wire(self, request, response):
        """Head and body as bytes."""
        payload, encoding = response.body.raw, ""
        if len(payload) > GZIP_FROM and "gzip" in request.header("accept-encoding"):
            payload, encoding = response.body.gzipped(), "Content-Encoding: gzip\r\n"
        length = "" if response.status in (204, 304) else f"Content-Length: {len(payload)}\r\n"
        close = "" if request.keeps_alive() else "Connection: close\r\n"
        head = (f"HTTP/1.1 {response.status} {REASONS.get(response.status, 'Unknown')}\r\nDate: {self.http_date()}\r\n"
                f"Content-Type: {response.content_type}\r\n{response.head}{encoding}{length}{close}\r\n").encode()
        return head, b"" if request.method == "HEAD" or not length else payload

    def http_date(self):
        now = int(time.time())
        if self.date[0] != now:
            self.date = (now, formatdate(now, usegmt=True))
        return self.date[1]


def status_fault(spec):
    body = spec.get("body", {"message": "Injected fault"})
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Response(spec.get("status", 500), raw, header_lines(spec.get("headers", {})))


class Connection(asyncio.Protocol):
    """Answers the requests of one connection in order; a delayed answer holds back those behind it."""

    def __init__(self, core, peers):
        self.core = core
        self.peers = peers
        self.buffer = b""
        self.request = None
        self.busy = False

    def connection_made(self, transport):
        self.transport = transport
        self.peers.add(transport)

    def connection_lost(self, _error):
        self.peers.discard(self.transport)

    def data_received(self, data):
        self.buffer += data
        self.pump()

    def pump(self):
        while not self.busy and not self.transport.is_closing():
            if self.request is None and not self.take_head():
                return
            if not self.take_body():
                return
            request, self.request = self.request, None
            self.serve(request)

    def take_head(self):
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self.buffer) > MAX_HEAD:
                self.refuse(b"431 Request Header Fields Too Large")
            return False
        try:
            self.request = Request(self.buffer[:end].decode("latin-1"))
        except ValueError:
            self.refuse(b"400 Bad Request")
            return False
        self.buffer = self.buffer[end + 4:]
        if self.request.header("expect"):
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        return True

    def take_body(self):
        if "transfer-encoding" in self.request.headers:
            self.refuse(b"411 Length Required")
            return False
        length = int(self.request.header("content-length") or 0)
        if len(self.buffer) < length:
            return False
        if length:
            self.request.body, self.buffer = self.buffer[:length], self.buffer[length:]
        return True

    def refuse(self, status):
        self.transport.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        self.transport.close()

    def serve(self, request):
        response, rule = self.core.answer(request)
        kind = rule.kind if rule else None
        if kind == "drop":
            self.transport.close()
            return
        head, payload = self.core.wire(request, response)
        if kind == "cut":
            self.transport.write(head + payload[:len(payload) // 2])
            self.transport.close()
        elif kind == "delay":
            self.busy = True
            delay = rule.spec.get("ms", 1000) / 1000
            asyncio.get_running_loop().call_later(delay, self.resume, request, head + payload)
        else:
            self.send(request, head + payload)

    def send(self, request, data):
        self.transport.write(data)
        if not request.keeps_alive():
            self.transport.close()

    def resume(self, request, data):
        self.busy = False
        if not self.transport.is_closing():
            self.send(request, data)
            self.pump()


class FakeServer:
    """One listening fake. `start`/`stop` (or `with`) run it in a thread; `serve` runs it on the caller's loop."""

    def __init__(self, app, port=0):
        self.core = Core(app)
        self.app = app
        self.port = port
        self.thread = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, ready):
        loop = asyncio.get_running_loop()
        self.loop, self.ended = loop, asyncio.Event()
        peers = set()
        listener = await loop.create_server(lambda: Connection(self.core, peers), "127.0.0.1", self.port, backlog=1024)
        self.port = listener.sockets[0].getsockname()[1]
        ready()
        await self.ended.wait()
        listener.close()
        for transport in list(peers):
            transport.abort()
        await asyncio.sleep(0)

    def end(self):
        """Ends `serve`; callable from any thread."""
        self.loop.call_soon_threadsafe(self.ended.set)

    def start(self):
        up = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.serve(up.set)), daemon=True)
        self.thread.start()
        if not up.wait(10):
            raise RuntimeError("fake server did not start")
        return self

    def stop(self):
        self.end()
        self.thread.join(10)

    __enter__ = start

    def __exit__(self, *_):
        self.stop()

    def control(self, method, name, body=None):
        """One control request, e.g. control("POST", "change", {...}); a refused one raises ValueError."""
        return control(self.port, method, name, body)


def control(port, method, name, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, f"/_fake/{name}", json.dumps(body) if body is not None else None)
        answer = connection.getresponse()
        value = json.loads(answer.read())
    finally:
        connection.close()
    if answer.status != 200:
        raise ValueError(value["error"])
    return value


def decode_path(path):
    return unquote(path) if "%" in path else path


def add_options(parser):
    parser.add_argument("--port", type=int, default=0, help="0 = a free one, printed as PORT <n>")
    parser.add_argument("--watch-stdin", action="store_true", help="exit when standard input closes")


def run(app, options):
    """Serves until SIGINT, SIGTERM or, with --watch-stdin, the end of standard input."""
    server = FakeServer(app, options.port)

    def ready():
        for number in (signal.SIGINT, signal.SIGTERM):
            server.loop.add_signal_handler(number, server.end)
        print(f"PORT {server.port}", flush=True)
        if options.watch_stdin:
            threading.Thread(target=end_with_stdin, args=(server,), daemon=True).start()

    asyncio.run(server.serve(ready))


def end_with_stdin(server):
    while sys.stdin.buffer.read1(65_536):
        pass
    server.end()
