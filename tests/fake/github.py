"""A fake GitHub REST API for tests: `python3 tests/fake/github.py --seed 1 --issues 120 --watch-stdin`.

Promises: bearer tokens, rate limits per token, Link paging, weak ETags with 304 (free of charge against the primary
limit, with a fresh Link header), and the data of github_world.py (invented, changeable) or github_replay.py (recorded).
`/api/v3` in front of a path, as on Enterprise servers, is understood. The control API is that of server.py.

In a test: `with github.start(issues=300) as server: ... server.url ... server.control("POST", "change", {...})`.
"""

import argparse
import dataclasses
import hashlib
import json
from urllib.parse import quote

from github_answers import Item, Refusal, link_header, page_of, size_of
from github_app import GithubApp
from github_data import Sizes, World
from github_render import Renderer
from github_replay import ReplaySource
from github_world import WorldSource
from invented import Clock, parse_time
from limits import Limits
from server import Body, FakeServer, Response, add_options, header_lines, json_response, run

CACHE_BYTES = 256 << 20
ENTERPRISE = "/api/v3"
DEFAULT_TOKEN = "test-token"
DEFAULT_LIMIT = 100_000_000
DEFAULT_SCOPES = "repo, read:user, read:org"
TOO_DEEP = "In order to keep the API fast for everyone, pagination is limited for this resource."


class Page:
    """A serialised answer with the header lines that do not depend on the request."""
    __slots__ = ("body", "etag", "fixed")

    def __init__(self, value, fixed, link=""):
        raw = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        self.etag = f'W/"{hashlib.sha256(raw).hexdigest()}"'
        self.fixed = fixed + f"ETag: {self.etag}\r\n{link}"
        self.body = Body(raw)


class GithubFake:
    def __init__(self, source, tokens=(DEFAULT_TOKEN,), limit=DEFAULT_LIMIT, scopes=DEFAULT_SCOPES):
        self.source = source
        self.tokens = frozenset(tokens)
        self.limits = Limits(limit)
        self.fixed = ("Server: github.com\r\nCache-Control: private, max-age=60, s-maxage=60\r\n"
                      "Vary: Accept, Authorization, Cookie, X-GitHub-OTP,Accept-Encoding, Accept, X-Requested-With\r\n"
                      "X-GitHub-Media-Type: github.v3; format=json\r\nX-GitHub-Api-Version-Selected: 2022-11-28\r\n")
        self.scopes = scopes  # of all tokens, or token -> scopes; None: the header is not sent
        self.github_app = GithubApp()
        self.forget_pages()

    def forget_pages(self):
        self.pages = {}
        self.cached_bytes = 0

    # ---- the application's face, see server.py

    def canonical(self, path):
        return self.source.canonical(path[len(ENTERPRISE):] if path.startswith(ENTERPRISE + "/") else path)

    def stream(self, path):
        return self.source.stream(path)

    def change(self, instruction):
        self.forget_pages()
        return self.source.change(instruction)

    def state(self):
        return self.source.state()

    def handle(self, request):
        as_app = self.github_app.handle(request, self.canonical(request.path), self.fixed)
        if as_app:
            return as_app
        token = self.token_of(request)
        if token is None:
            return json_response(401, Refusal(401, "Bad credentials").value(), self.fixed)
        if request.path.endswith("/rate_limit"):
            return json_response(200, self.limits.rate(token), self.fixed + self.headers_of(token))
        refusal = self.limits.refusal(token)
        if refusal:
            status, headers, body = refusal
            return Response(status, body, self.fixed + header_lines(headers) + self.headers_of(token))
        return self.allowed(request, token)

    def token_of(self, request):
        scheme, _, token = request.header("authorization").partition(" ")
        known = token in self.tokens or token in self.github_app.tokens
        return token if scheme.lower() in ("bearer", "token") and known else None

    def headers_of(self, token):
        scopes = self.scopes.get(token) if isinstance(self.scopes, dict) else self.scopes
        told = "" if scopes is None or token in self.github_app.tokens else f"X-OAuth-Scopes: {scopes}\r\n"
        return told + self.limits.headers(token)

    def allowed(self, request, token):
        page = self.page(request) if request.method in ("GET", "HEAD") else Refusal(404, "Not Found")
        if isinstance(page, Refusal):
            self.limits.consume(token)
            return json_response(page.status, page.value(), self.fixed + self.headers_of(token))
        if "if-none-match" in request.headers and fresh(page.etag, request.headers["if-none-match"]):
            return Response(304, b"", page.fixed + self.headers_of(token))
        self.limits.consume(token)
        return Response(200, page.body, page.fixed + self.headers_of(token))

    def page(self, request):
        key = (request.target, request.header("host"))
        page = self.pages.get(key)
        if page is None:
            page = self.make_page(request)
            if isinstance(page, Page):
                self.keep(key, page)
        return page

    def keep(self, key, page):
        self.cached_bytes += len(page.body.raw)
        if self.cached_bytes > CACHE_BYTES:
            self.forget_pages()
        self.pages[key] = page

    def make_page(self, request):
        params = request.params()
        path = self.canonical(request.path)
        answer = self.source.answer(path, params)
        if isinstance(answer, Refusal):
            return answer
        if isinstance(answer, Item):
            return Page(answer.value, self.fixed)
        number, size = page_of(params), size_of(params)
        if answer.deepest is not None and number * size > answer.deepest:
            return Refusal(422, TOO_DEEP)
        last = max(1, -(-answer.count() // size))
        return Page(answer.page(number, size), self.fixed, self.link(request, answer.link_path or quote(path), number, last))

    def link(self, request, path, number, last):
        prefix = ENTERPRISE if request.path.startswith(ENTERPRISE + "/") else ""
        return link_header(f"http://{request.header('host')}{prefix}{path}", request.query, number, last)


def fresh(etag, header):
    """Weak comparison with any of the tags in If-None-Match."""
    bare = etag.removeprefix("W/")
    return header.strip() == "*" or any(tag.strip().removeprefix("W/") == bare for tag in header.split(","))


def make_app(tokens=(DEFAULT_TOKEN,), limit=DEFAULT_LIMIT, scopes=DEFAULT_SCOPES, replay=None, now=None,
             api_url="https://api.github.com", **sizes):
    if replay:
        source = ReplaySource(replay)
    else:
        world = World(Sizes(**sizes), Clock(parse_time(now) if now else None))
        source = WorldSource(world, Renderer(world, api_url))
    return GithubFake(source, tokens, limit, scopes)


def start(**options):
    """A running FakeServer in a thread of this process; options as of make_app."""
    return FakeServer(make_app(**options))


def parse_options(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--tokens", default=DEFAULT_TOKEN, help="comma list of accepted bearer tokens")
    parser.add_argument("--scopes", default=DEFAULT_SCOPES, help="value of X-OAuth-Scopes")
    parser.add_argument("--rate-limit", type=int, default=DEFAULT_LIMIT, help="requests per token and hour")
    parser.add_argument("--now", help="fixed clock, ISO time; default the real clock")
    parser.add_argument("--api-url", default="https://api.github.com", help="base of the url fields in answers")
    parser.add_argument("--replay", metavar="DIR", help="serve the raw rows of a conformance folder instead")
    for field in dataclasses.fields(Sizes):
        kind = str if isinstance(field.default, str) else int
        parser.add_argument("--" + field.name.replace("_", "-"), type=kind, default=field.default)
    return parser.parse_args(arguments)


def main():
    options = parse_options()
    sizes = {field.name: getattr(options, field.name) for field in dataclasses.fields(Sizes)}
    run(make_app(options.tokens.split(","), options.rate_limit, options.scopes, options.replay, options.now,
                 options.api_url, **sizes), options)


if __name__ == "__main__":
    main()
