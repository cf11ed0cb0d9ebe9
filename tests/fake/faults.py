"""Fault rules of a fake server.

A rule is {match, kind, times, after, p, seed, ...}. `match` is a regular expression searched in "path?query" of a
request. The first `after` matches pass, then each match fires with probability `p` (default 1) until `times` firings
(default 1, -1 = always) are used up. The first rule that fires decides. Same rules and requests, same faults.

Kinds: status (status, body, headers), cut (connection closed after half of the body), drop (closed without an answer),
delay (ms), garbage (HTML with status 200), truncate_json (half of the JSON, correctly framed).
"""

import random
import re

KINDS = ("status", "cut", "drop", "delay", "garbage", "truncate_json")
FIELDS = {"match", "kind", "times", "after", "p", "seed", "status", "body", "headers", "ms"}


class Rule:
    def __init__(self, spec):
        unknown = set(spec) - FIELDS
        if unknown:
            raise ValueError(f"unknown fault fields: {sorted(unknown)}")
        if spec.get("kind") not in KINDS:
            raise ValueError(f"fault kind {spec.get('kind')!r} is not one of {', '.join(KINDS)}")
        self.spec = spec
        self.kind = spec["kind"]
        self.pattern = re.compile(spec.get("match", ""))
        self.times = spec.get("times", 1)
        self.after = spec.get("after", 0)
        self.probability = spec.get("p", 1.0)
        self.random = random.Random(spec.get("seed", 0))
        self.seen = 0
        self.fired = 0

    def fires(self, target):
        if 0 <= self.times <= self.fired or not self.pattern.search(target):
            return False
        self.seen += 1
        if self.seen <= self.after or self.random.random() >= self.probability:
            return False
        self.fired += 1
        return True

    def report(self):
        return {**self.spec, "seen": self.seen, "fired": self.fired}


class Faults:
    def __init__(self):
        self.rules = []

    def add(self, specs):
        self.rules += [Rule(spec) for spec in (specs if isinstance(specs, list) else [specs])]

    def clear(self):
        self.rules = []

    def pick(self, target):
        return next((rule for rule in self.rules if rule.fires(target)), None)

    def report(self):
        return [rule.report() for rule in self.rules]
