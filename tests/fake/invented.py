"""What every invented world is made of: words, awkward texts, a clock, times as text, hashes."""

import hashlib
import time
from datetime import datetime, timezone

DAY = 86_400
WORDS = ("river lake mountain cache retry parser buffer worker queue index window token stream header socket page limit "
         "merge branch tag schema column table row batch cursor frame signal handle lock fence probe graph edge node "
         "quiet brave slow rapid stale empty broken missing strange narrow wide early late nightly weekly").split()
UNICODE_TEXTS = ("流水线在夜间失败 🚨", "خطأ عند حفظ الملف في المجلد", "שגיאה בטעינת הדף הראשי",
                 "パイプラインが遅い 🐢", "Größe überschreitet Maß – naïve façade", "👩‍👩‍👧‍👦 family of emoji 🏳️‍🌈 🇩🇪",
                 "한국어 제목 – 빌드 실패", "a\u0301 combining e\u0301 \u200f\u202ertl override\u202c", "Zażółć gęślą jaźń")


class Clock:
    """Real time until it is set; then it stands still but for 60 s per change, and never passes real time."""
    STEP = 60

    def __init__(self, fixed=None):
        self.fixed = fixed

    def now(self):
        real = int(time.time())
        return real if self.fixed is None else min(self.fixed, real)

    def step(self):
        if self.fixed is not None:
            self.fixed += self.STEP


def parse_time(text):
    moment = datetime.fromisoformat(text.strip().replace(" ", "+"))
    return int((moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp())


def iso(epoch):
    return None if epoch is None else datetime.fromtimestamp(epoch, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def sha_of(*parts):
    return hashlib.sha1(":".join(map(str, parts)).encode()).hexdigest()
