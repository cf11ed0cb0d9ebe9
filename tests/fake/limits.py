"""Request limits as GitHub applies them.

Primary: each token has a bucket of `limit` requests that refills at its reset time. An empty bucket answers 403 (or
429) with X-RateLimit-Remaining 0 and the reset epoch. Secondary: after `secondary_after` further requests, over all
tokens, every request of the next `retry_after` seconds gets 403 with Retry-After; this happens `secondary_times` times
(default 1, -1 = again and again).
"""

import json
import time

WINDOW_SECONDS = 3600
FIELDS = {"limit", "remaining", "reset_in", "token", "status", "secondary_after", "retry_after", "secondary_times"}
RATE_DOCS = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"


class Bucket:
    def __init__(self, limit):
        self.limit = limit
        self.refill(time.time())

    def refill(self, now):
        self.remaining = self.limit
        self.reset = int(now) + WINDOW_SECONDS


class Limits:
    def __init__(self, limit):
        self.limit = limit
        self.buckets = {}
        self.status = 403
        self.secondary_after = None
        self.secondary_times = 0
        self.retry_after = 1
        self.blocked_until = 0.0

    def configure(self, spec):
        unknown = set(spec) - FIELDS
        if unknown:
            raise ValueError(f"unknown limit fields: {sorted(unknown)}")
        self.status = spec.get("status", self.status)
        self.retry_after = spec.get("retry_after", self.retry_after)
        if "secondary_after" in spec:
            self.secondary_after = spec["secondary_after"]
            self.secondary_times = spec.get("secondary_times", 1)
            self.blocked_until = 0.0
        if {"limit", "remaining", "reset_in"} & set(spec):
            self.configure_buckets(spec)
        return self.report()

    def configure_buckets(self, spec):
        token = spec.get("token")
        if token is None:
            self.limit = spec.get("limit", self.limit)
        for bucket in [self.bucket(token)] if token else self.buckets.values():
            bucket.limit = spec.get("limit", bucket.limit)
            bucket.remaining = spec.get("remaining", bucket.limit)
            bucket.reset = int(time.time()) + spec.get("reset_in", WINDOW_SECONDS)

    def bucket(self, token):
        found = self.buckets.get(token)
        if found is None:
            found = self.buckets[token] = Bucket(self.limit)
        return found

    def refusal(self, token):
        """(status, extra headers, body) when the request must be refused, else None."""
        now = time.time()
        if self.secondary_after is not None or self.blocked_until:
            if self.secondary_refuses(now):
                return 403, {"Retry-After": str(self.retry_after)}, message(
                    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.")
        bucket = self.bucket(token)
        if now >= bucket.reset:
            bucket.refill(now)
        if bucket.remaining <= 0:
            return self.status, {}, message("API rate limit exceeded for user ID 583231.")
        return None

    def secondary_refuses(self, now):
        if now < self.blocked_until:
            return True
        if self.secondary_after is None or self.secondary_times == 0:
            return False
        if self.secondary_count > 0:
            self.secondary_count -= 1
            return False
        self.secondary_times -= self.secondary_times > 0
        self.secondary_count = self.secondary_after
        self.blocked_until = now + self.retry_after
        return True

    @property
    def secondary_after(self):
        return self._secondary_after

    @secondary_after.setter
    def secondary_after(self, count):
        self._secondary_after = count
        self.secondary_count = count

    def consume(self, token):
        self.bucket(token).remaining -= 1

    def headers(self, token):
        bucket = self.bucket(token)
        return (f"X-RateLimit-Limit: {bucket.limit}\r\nX-RateLimit-Remaining: {bucket.remaining}\r\n"
                f"X-RateLimit-Reset: {bucket.reset}\r\nX-RateLimit-Used: {bucket.limit - bucket.remaining}\r\n"
                "X-RateLimit-Resource: core\r\n")

    def rate(self, token):
        bucket = self.bucket(token)
        core = {"limit": bucket.limit, "used": bucket.limit - bucket.remaining,
                "remaining": bucket.remaining, "reset": bucket.reset}
        return {"resources": {"core": core}, "rate": core}

    def report(self):
        return {"limit": self.limit, "secondary_after": self.secondary_after, "secondary_times": self.secondary_times,
                "retry_after": self.retry_after,
                "tokens": {token: self.rate(token)["rate"] for token in self.buckets}}


def message(text):
    return json.dumps({"message": text, "documentation_url": RATE_DOCS}).encode()
