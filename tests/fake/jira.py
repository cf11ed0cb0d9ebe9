"""A fake Jira for tests, Cloud or Data Center: `python3 tests/fake/jira.py --deployment Server --issues 50 --watch-stdin`.

Promises: Basic auth (mail or user and token) and, on Data Center, bearer tokens; 429 with Retry-After; searches, boards,
sprints, details and catalogues with the pages, limits and errors of the real thing; a deterministic world that changes
by instruction (jira_changes.py). A context path before /rest/ is understood. The control API is that of server.py.

In a test: `with jira.start(issues=50) as server: ... server.url + "/rest/" ... server.control("POST", "change", {...})`.
"""

import argparse
import base64
import binascii
import dataclasses
import json
import re
from urllib.parse import parse_qsl

from invented import Clock, parse_time
from jira_answers import Refusal, Source
from jira_changes import Changes
from jira_data import Sizes, World
from jira_limits import Limits
from jira_render import Renderer
from server import HTML, FakeServer, Response, add_options, header_lines, run

USER, TOKEN = "dev-01@example.com", "test-token"
UNKNOWN = b"<html><head><title>Unauthorized (401)</title></head><body><h1>Unauthorized (401)</h1></body></html>"
NUMBER = re.compile(r"(?<!api)/(\d+|[A-Z][A-Z0-9]*-\d+)(?=/|$)")


class JiraFake:
    def __init__(self, source, tokens=(TOKEN,)):
        self.source = source
        self.tokens = frozenset(tokens)
        self.limits = Limits(source.cloud)
        self.changes = Changes(source.world)

    # ---- the application's face, see server.py

    def canonical(self, path):
        return path[path.index("/rest/"):] if "/rest/" in path else path

    def stream(self, path):
        return NUMBER.sub("/*", path.removeprefix("/rest/"))

    def change(self, instruction):
        return self.changes.apply(instruction)

    def state(self):
        world = self.source.world
        return {"cloud": self.source.cloud, "zone": world.zone, "issues": len(world.issues), "boards": len(world.boards),
                "histories": sum(len(issue["histories"]) for issue in world.issues.values()),
                "gone_users": [self.source.show.user_name(number) for number, user in world.users.items() if user["gone"]]}

    def handle(self, request):
        if not self.knows(request.header("authorization")):
            return Response(401, UNKNOWN, 'WWW-Authenticate: Basic realm="jira"\r\n', content_type=HTML)
        if self.limits.refuses():
            return self.json(429, {"errorMessages": ["Rate limit exceeded."], "errors": {}}, True)
        try:
            if request.method not in ("GET", "HEAD", "POST"):
                raise Refusal(405, "Method Not Allowed")
            path = self.canonical(request.path).removeprefix("/rest/")
            return self.json(200, self.source.answer(path, params_of(request)))
        except Refusal as refusal:
            return self.json(refusal.status, refusal.value())

    def json(self, status, value, limited=False):
        raw = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        return Response(status, raw, header_lines({"X-AREQUESTID": "1x1x1", **self.limits.headers(limited)}))

    def knows(self, authorization):
        scheme, _, value = authorization.partition(" ")
        if scheme.lower() == "bearer":
            return not self.source.cloud and value in self.tokens
        try:
            user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        return scheme.lower() == "basic" and bool(user) and password in self.tokens


def params_of(request):
    """Repeated parameters as a comma list; of a POSTed search the members of its body, as a GET would name them."""
    if request.method != "POST":
        found = {}
        for name, value in parse_qsl(request.query, keep_blank_values=True):
            found[name] = f"{found[name]},{value}" if name in found else value
        return found
    body = request.json()
    return {name: ",".join(value) if isinstance(value, list) else str(value) for name, value in body.items() if value is not None}


def make_app(deployment="Cloud", tokens=(TOKEN,), now=None, changelog_cut=100, worklog_cut=20, comment_cut=100, page_cap=100, **sizes):
    world = World(Sizes(**sizes), Clock(parse_time(now) if now else None))
    show = Renderer(world, deployment == "Cloud", changelog_cut, worklog_cut, comment_cut)
    return JiraFake(Source(world, show, page_cap), tokens)


def start(**options):
    """A running FakeServer in a thread of this process; options as of make_app."""
    return FakeServer(make_app(**options))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--deployment", choices=("Cloud", "Server"), default="Cloud")
    parser.add_argument("--tokens", default=TOKEN, help="comma list of accepted tokens")
    parser.add_argument("--now", help="fixed clock, ISO time; default the real clock")
    for field in dataclasses.fields(Sizes):
        parser.add_argument("--" + field.name, type=int, default=field.default)
    options = parser.parse_args()
    sizes = {field.name: getattr(options, field.name) for field in dataclasses.fields(Sizes)}
    run(make_app(options.deployment, options.tokens.split(","), options.now, **sizes), options)


if __name__ == "__main__":
    main()
