"""A fake Jenkins for tests: `python3 tests/fake/jenkins.py --seed 1 --jobs 20 --watch-stdin`.

Promises: basic authentication, `api/json` with `tree` (fields, nested ones, ranges) of the root, folders, jobs and builds, `wfapi/describe` of
pipeline builds, errors as HTML pages, the data of jenkins_world.py (invented, changeable). `view/all/` in a path is understood. The control API
is that of server.py.
"""

import argparse
import base64
import dataclasses
from urllib.parse import unquote

import jenkins_tree
from jenkins_world import Changes, Folder, Job, Sizes, World
from server import HTML, FakeServer, Response, add_options, json_response, run

USER = "ci"
DEFAULT_TOKEN = "test-token"


def page(status, text):
    return Response(status, f"<html><head><title>Error {status} {text}</title></head></html>\n".encode(), content_type=HTML)


class JenkinsFake:
    limits = None

    def __init__(self, world, user=USER, token=DEFAULT_TOKEN):
        self.world, self.changes = world, Changes(world)
        self.credentials = "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()

    # ---- the application's face, see server.py

    def canonical(self, path):
        return path

    def stream(self, path):
        if path.endswith("/wfapi/describe"):
            return "stages"
        node, rest = self.find(path)
        return "build" if rest[:1] != ["api"] else "builds" if isinstance(node, Job) else "jobs"

    def change(self, instruction):
        return self.changes.apply(instruction)

    def state(self):
        jobs = list(self.world.jobs())
        return {"jobs": len(jobs), "builds": sum(len(job.builds) for job in jobs)}

    def handle(self, request):
        if request.header("authorization") != self.credentials:
            return page(401, "Unauthorized")
        node, rest = self.find(request.path)
        if node is None or request.method != "GET":
            return page(404, "Not Found")
        if rest[-2:] == ["api", "json"] and len(rest) == 2:
            return self.shown(node, request)
        build = node.builds.get(int(rest[0])) if isinstance(node, Job) and rest and rest[0].isdigit() else None
        if build is None:
            return page(404, "Not Found")
        if rest[1:] == ["api", "json"]:
            return self.shown(build, request)
        if rest[1:] == ["wfapi", "describe"] and build.is_pipeline:
            return json_response(200, {"id": str(build.number), "name": f"#{build.number}", "status": build.result, "stages": build.stages()})
        return page(404, "Not Found")

    def find(self, path):
        """The folder or job that a path names, and the segments behind it; None where there is none."""
        segments = [unquote(segment) for segment in path.split("/") if segment]
        if segments[:2] == ["view", "all"]:
            segments = segments[2:]
        node = self.world.root
        while segments[:1] == ["job"] and isinstance(node, Folder):
            node = node.jobs.get(segments[1]) if len(segments) > 1 else None
            segments = segments[2:]
        return node, segments

    def shown(self, node, request):
        try:
            fields = jenkins_tree.parse(request.params().get("tree", "mode,fullName,name,url,number,result"))
        except jenkins_tree.Malformed as problem:
            return page(400, f"Bad tree: {problem}")
        return json_response(200, jenkins_tree.chosen(node, fields), "X-Jenkins: 2.479.1\r\n")


def make_app(now=None, url="http://ci.invalid", user=USER, token=DEFAULT_TOKEN, **sizes):
    return JenkinsFake(World(Sizes(**sizes), now, url), user, token)


def start(**options):
    """A running FakeServer in a thread of this process; options as of make_app."""
    return FakeServer(make_app(**options))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--token", default=DEFAULT_TOKEN)
    for field in dataclasses.fields(Sizes):
        parser.add_argument("--" + field.name, type=int, default=field.default)
    options = parser.parse_args()
    run(make_app(token=options.token, **{field.name: getattr(options, field.name) for field in dataclasses.fields(Sizes)}), options)


if __name__ == "__main__":
    main()
