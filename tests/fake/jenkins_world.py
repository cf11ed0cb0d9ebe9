"""An invented Jenkins: folders, jobs of all kinds, multi-branch projects, builds; the same seed gives the same.

Change instructions are {"op": <a public method of Changes>, ...}; jobs are named by their full name.
"""

import dataclasses
import hashlib
import random
import time
from urllib.parse import quote

from instructions import Instructions

FOLDER = "com.cloudbees.hudson.plugins.folder.Folder"
ORGANIZATION = "jenkins.branch.OrganizationFolder"
MULTIBRANCH = "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject"
PIPELINE = "org.jenkinsci.plugins.workflow.job.WorkflowJob"
FREESTYLE = "hudson.model.FreeStyleProject"
RUNS = {PIPELINE: "org.jenkinsci.plugins.workflow.job.WorkflowRun", FREESTYLE: "hudson.model.FreeStyleBuild"}
COLORS = {"SUCCESS": "blue", "FAILURE": "red", "UNSTABLE": "yellow", "ABORTED": "aborted", "NOT_BUILT": "notbuilt"}
RESULTS = ("SUCCESS", "SUCCESS", "SUCCESS", "FAILURE", "UNSTABLE", "ABORTED")
STAGES = ("Checkout", "build", "test", "deploy to prod")
MINUTE = 60_000


@dataclasses.dataclass
class Sizes:
    seed: int = 1
    jobs: int = 4        # in the folder team/apps
    builds: int = 5      # of each
    branches: int = 4    # of the multi-branch project team/site
    ended: int = 60      # minutes ago that the last build ended


class Node:
    """Something with fields: those that `shown()` names, made when they are asked for."""
    cls = ""

    def has(self, name):
        return name in self.shown()

    def get(self, name):
        value = self.shown()[name]
        return value() if callable(value) else value


class Folder(Node):
    def __init__(self, world, full_name, cls):
        self.world, self.full_name, self.cls, self.jobs = world, full_name, cls, {}

    def shown(self):
        shown = {"jobs": lambda: list(self.jobs.values()), "mode": "NORMAL"}
        if self.full_name:
            shown |= {"fullName": self.full_name, "name": self.full_name.split("/")[-1], "url": self.world.url_of(self.full_name),
                      "description": f"All of {self.full_name}"}
        return shown


class Job(Node):
    def __init__(self, world, full_name, cls):
        self.world, self.full_name, self.cls, self.builds, self.description = world, full_name, cls, {}, None

    def newest_first(self):
        return [self.builds[number] for number in sorted(self.builds, reverse=True)]

    def color(self):
        if not self.builds:
            return "notbuilt"
        last = self.builds[max(self.builds)]
        return "blue_anime" if last.building else COLORS[last.result]

    def shown(self):
        return {"fullName": self.full_name, "name": self.full_name.split("/")[-1], "url": self.world.url_of(self.full_name),
                "description": self.description, "color": self.color, "allBuilds": self.newest_first,
                "builds": lambda: self.newest_first()[:100], "lastBuild": lambda: next(iter(self.newest_first()), None)}


class Build(Node):
    def __init__(self, job, number, timestamp, cls, result, duration, revisions, upstream):
        self.job, self.number, self.timestamp, self.cls = job, number, timestamp, cls
        self.result, self.duration, self.revisions, self.upstream = result, duration, revisions, upstream

    @property
    def building(self):
        return self.result is None

    @property
    def is_pipeline(self):
        return self.cls == RUNS[PIPELINE]

    def shown(self):
        return {"number": self.number, "id": str(self.number), "timestamp": self.timestamp, "building": self.building, "result": self.result,
                "duration": 0 if self.building else self.duration, "estimatedDuration": 30_000,
                "fullDisplayName": f"{self.job.full_name.replace('/', ' » ')} #{self.number}", "actions": self.actions,
                "url": f"{self.job.world.url_of(self.job.full_name)}{self.number}/"}

    def actions(self):
        causes = [{"_class": "hudson.triggers.SCMTrigger$SCMTriggerCause", "shortDescription": "Started by an SCM change"}]
        if self.upstream:
            project, number = self.upstream
            causes.append({"_class": "hudson.model.Cause$UpstreamCause", "shortDescription": "Started by upstream project",
                           "upstreamBuild": number, "upstreamProject": project})
        data = [{"_class": "hudson.plugins.git.util.BuildData", "lastBuiltRevision": {"SHA1": sha, "branch": [{"SHA1": sha, "name": branch}]},
                 "remoteUrls": urls, "scmName": ""} for sha, branch, urls in self.revisions]
        return [{"_class": "hudson.model.CauseAction", "causes": causes}, {}, *data, {}]

    def stages(self):
        """As wfapi/describe gives them; an aborted or failed build ends with its second stage, a fourth is not executed."""
        started, stages = self.timestamp, []
        names = STAGES[:2] if self.result in ("FAILURE", "ABORTED") else STAGES
        for place, name in enumerate(names):
            last = place == len(names) - 1
            status = {"FAILURE": "FAILED", "ABORTED": "ABORTED"}.get(self.result, "SUCCESS") if last else "SUCCESS"
            if self.result == "UNSTABLE" and last:
                status = "NOT_EXECUTED"
            length = self.duration // len(names) if status != "NOT_EXECUTED" else 0
            stages.append({"_links": {"self": {"href": f"/{place}"}}, "id": str(6 + 5 * place), "name": name, "execNode": "", "status": status,
                           "startTimeMillis": started, "durationMillis": length, "pauseDurationMillis": 0})
            started += length
        return stages


class World:
    def __init__(self, sizes, now=None, url="http://ci.invalid"):
        self.sizes, self.url = sizes, url
        self.now = now or int(time.time() * 1000)
        self.random = random.Random(sizes.seed)
        self.root = Folder(self, "", "hudson.model.Hudson")
        self.fill()

    def fill(self):
        for name, cls in (("team", FOLDER), ("team/apps", FOLDER), ("team/site", MULTIBRANCH), ("org", ORGANIZATION), ("org/library", MULTIBRANCH)):
            self.add(Folder(self, name, cls))
        self.add_built("nightly", FREESTYLE, self.sizes.builds)
        self.add(Job(self, "team/apps/never built", PIPELINE))
        for number in range(self.sizes.jobs):
            self.add_built(f"team/apps/app {number:04}", (PIPELINE, FREESTYLE)[number % 2], self.sizes.builds)
        for number in range(self.sizes.branches):
            self.add_built("team/site/" + ("main", "feature%2Fmenu", "PR-7")[number] if number < 3 else f"team/site/PR-{number + 5}",
                           PIPELINE, self.sizes.builds)
        self.add(Job(self, "team/site/quiet", PIPELINE))
        self.add_built("org/library/main", PIPELINE, 2)

    # ---- things by name

    def url_of(self, full_name):
        return f"{self.url}/" + "".join(f"job/{quote(name, safe='')}/" for name in full_name.split("/"))

    def find(self, full_name):
        node = self.root
        for name in full_name.split("/") if full_name else []:
            node = node.jobs.get(name) if isinstance(node, Folder) else None
        return node

    def job(self, full_name):
        node = self.find(full_name)
        if not isinstance(node, Job):
            raise ValueError(f"there is no job {full_name!r}")
        return node

    def add(self, node):
        parent, _, name = node.full_name.rpartition("/")
        self.find(parent).jobs[name] = node
        return node

    def add_built(self, full_name, cls, count):
        job = self.add(Job(self, full_name, cls))
        job.description = self.random.choice((None, "", f"Builds {full_name}"))
        ends = self.now - self.sizes.ended * MINUTE
        for number in range(1, count + 1):
            self.add_build(job, ends - (count - number + 1) * 10 * MINUTE)
        return job

    def add_build(self, job, timestamp, result="?", cls=None):
        number = max(job.builds, default=0) + 1
        result = self.random.choice(RESULTS) if result == "?" else result
        upstream = ("nightly", number) if self.random.random() < 0.3 else None
        job.builds[number] = Build(job, number, timestamp + self.random.randrange(1000), cls or RUNS[job.cls], result,
                                   self.random.randrange(1_000, 300_000), self.revisions(job), upstream)
        return number

    def revisions(self, job):
        """None, one or several checked out repositories, at times two addresses of one."""
        sha = lambda: hashlib.sha1(str(self.random.random()).encode()).hexdigest()  # noqa: E731
        own = f"https://git.invalid/{quote(job.full_name)}.git"
        found = [(sha(), "main", [own])]
        chance = self.random.random()
        if chance < 0.2:
            return []
        if chance > 0.6:
            found.insert(0, (sha(), "refs/remotes/origin/main", ["https://git.invalid/library.git"]))
        if chance > 0.9:
            found[-1][2].append("git@git.invalid:mirror.git")
        return found

    def jobs(self, node=None):
        for child in (node or self.root).jobs.values():
            yield from self.jobs(child) if isinstance(child, Folder) else [child]


class Changes(Instructions):
    def apply(self, instruction):
        op, method, arguments = self._chosen(instruction)
        return {"op": op, **(method(**arguments) or {})}

    def build(self, job, count=1, result="?", minutes_ago=0):
        """New builds; result null: they are still running."""
        now = int(time.time() * 1000) - minutes_ago * MINUTE
        return {"numbers": [self.world.add_build(self.world.job(job), now, result) for _ in range(count)]}

    def finish(self, job, number, result="SUCCESS"):
        self.world.job(job).builds[number].result = result

    def delete_build(self, job, number):
        del self.world.job(job).builds[number]

    def add_job(self, job, kind="pipeline", builds=1):
        made = self.world.add(Job(self.world, job, {"pipeline": PIPELINE, "freestyle": FREESTYLE}[kind]))
        for _ in range(builds):
            self.world.add_build(made, int(time.time() * 1000) - 90 * 24 * 60 * MINUTE)

    def delete_job(self, job):
        parent, _, name = job.rpartition("/")
        del self.world.find(parent).jobs[name]

    def recreate_job(self, job):
        """Deleted and made anew under its name: numbers begin again."""
        cls = self.world.job(job).cls
        self.delete_job(job)
        self.world.add_build(self.world.add(Job(self.world, job, cls)), int(time.time() * 1000))

    def describe(self, job, text):
        self.world.job(job).description = text
