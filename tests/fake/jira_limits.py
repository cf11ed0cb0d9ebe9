"""Request limits as Jira applies them: 429 with Retry-After, per user.

After `after` further requests every request of the next `retry_after` seconds is refused; this happens `times` times
(default 1, -1 = again and again). Cloud tells the reason and a reset time, Data Center its bucket's size and filling.
"""

import time
from datetime import datetime, timezone

FIELDS = {"after", "retry_after", "times"}


class Limits:
    def __init__(self, cloud):
        self.cloud = cloud
        self.after = None
        self.count = 0
        self.times = 0
        self.retry_after = 1
        self.blocked_until = 0.0
        self.refused = 0

    def configure(self, spec):
        unknown = set(spec) - FIELDS
        if unknown:
            raise ValueError(f"unknown limit fields: {sorted(unknown)}")
        self.after = self.count = spec.get("after")
        self.times = spec.get("times", 1)
        self.retry_after = spec.get("retry_after", self.retry_after)
        self.blocked_until = 0.0
        return self.report()

    def refuses(self):
        now = time.time()
        if now < self.blocked_until:
            self.refused += 1
            return True
        if self.after is None or self.times == 0:
            return False
        if self.count > 0:
            self.count -= 1
            return False
        self.times -= self.times > 0
        self.count = self.after
        self.blocked_until = now + self.retry_after
        self.refused += 1
        return True

    def headers(self, refused=False):
        if not self.cloud:
            waiting = {"Retry-After": str(self.retry_after)} if refused else {}
            return {"X-RateLimit-Limit": "50", "X-RateLimit-Remaining": "0" if refused else "49", "X-RateLimit-FillRate": "10",
                    "X-RateLimit-Interval-Seconds": "1", **waiting}
        if not refused:
            return {"X-RateLimit-Limit": "350", "X-RateLimit-Remaining": "349", "X-RateLimit-NearLimit": "false"}
        reset = datetime.fromtimestamp(time.time() + self.retry_after, timezone.utc)
        return {"Retry-After": str(self.retry_after), "X-RateLimit-Limit": "350", "X-RateLimit-Remaining": "0",
                "X-RateLimit-Reset": f"{reset:%Y-%m-%dT%H:%MZ}", "X-RateLimit-NearLimit": "true",
                "RateLimit-Reason": "jira-burst-based"}

    def report(self):
        return {"after": self.after, "times": self.times, "retry_after": self.retry_after, "refused": self.refused}
