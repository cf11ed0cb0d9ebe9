"""The part of JQL that boards and collectors use: comparisons, `in`, `is empty`, and/or/not, `order by`.

`parse(text)` gives a Query or raises JqlError with Jira's kind of message. Times are minutes in the user's zone, as in
Jira: "yyyy-MM-dd HH:mm", with slashes, without a time of day, epoch milliseconds, or relative ("-7d").
"""

import functools
import operator
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

TOKEN = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(!=|!~|>=|<=|[=~<>(),])|([^\s=!~<>(),"']+))""")
CLAUSES = {"issuekey": "key", "issue": "key", "type": "issuetype", "id": "key", "createddate": "created", "updateddate": "updated",
           "resolutiondate": "resolved", "due": "duedate"}
FIELDS = {"project", "key", "issuetype", "status", "statuscategory", "labels", "created", "updated", "resolved", "resolution",
          "sprint", "filter", "summary", "assignee", "priority", "duedate", "parent", "rank"}
TIMES = ("created", "updated", "resolved", "duedate")
COMPARE = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes"}


class JqlError(ValueError):
    pass


class Query:
    def __init__(self, test, order):
        self.test = test
        self.order = order
        self.bounded = test is not None

    def matches(self, issue, world):
        return self.test is None or self.test(issue, world)

    def sorted(self, issues, world):
        found = list(issues)
        for field, falling in reversed(self.order):
            found.sort(key=functools.partial(sort_key, field, world), reverse=falling)
        return found


def sort_key(field, world, issue):
    if field == "key":
        return issue["project"], issue["number"]
    value = issue.get({"rank": "id", "issuetype": "type"}.get(field, field))
    return (value is None, value if isinstance(value, (int, float)) else str(value))


@functools.lru_cache(maxsize=4096)
def parse(text):
    return Parser(text).query()


class Parser:
    def __init__(self, text):
        self.tokens = list(tokens(text))
        self.place = 0

    def query(self):
        order = self.word_at(0) == "order" and self.word_at(1) == "by"
        test = None if order or not self.tokens else self.either()
        order = self.order() if self.take("order") else [("id", True)]
        if self.place < len(self.tokens):
            raise JqlError(f"Error in the JQL Query: Expecting either 'OR' or 'AND' but got '{self.tokens[self.place][1]}'.")
        return Query(test, order)

    def order(self):
        if not self.take("by"):
            raise JqlError("Error in the JQL Query: Expecting 'by' after 'order'.")
        found = []
        while True:
            field = self.field()
            falling = self.word_at(0) == "desc"
            if falling or self.word_at(0) == "asc":
                self.place += 1
            found.append((field, falling))
            if not self.take(","):
                return found

    def either(self):
        parts = [self.both()]
        while self.take("or"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else lambda issue, world: any(part(issue, world) for part in parts)

    def both(self):
        parts = [self.negation()]
        while self.take("and"):
            parts.append(self.negation())
        return parts[0] if len(parts) == 1 else lambda issue, world: all(part(issue, world) for part in parts)

    def negation(self):
        if self.take("not"):
            inner = self.negation()
            return lambda issue, world: not inner(issue, world)
        if self.take("("):
            inner = self.either()
            self.expect(")")
            return inner
        return self.clause()

    def clause(self):
        field = self.field()
        for words in (("not", "in"), ("is", "not"), ("in",), ("is",)):
            if all(self.word_at(index) == word for index, word in enumerate(words)):
                self.place += len(words)
                return self.of_list(field, words) if "in" in words else self.of_empty(field, words)
        kind, sign = self.next()
        if kind != "sign" or sign in "(),":
            raise JqlError(f"Error in the JQL Query: Expecting operator but got '{sign}'.")
        return comparison(field, sign, self.value())

    def of_list(self, field, words):
        self.expect("(")
        values = [self.value()]
        while self.take(","):
            values.append(self.value())
        self.expect(")")
        tests = [comparison(field, "=", value) for value in values]
        wanted = "not" not in words
        return lambda issue, world: any(test(issue, world) for test in tests) == wanted

    def of_empty(self, field, words):
        if self.value().lower() not in ("empty", "null"):
            raise JqlError("Error in the JQL Query: 'is' takes EMPTY or NULL.")
        wanted = "not" not in words
        return lambda issue, world: (not held(field, issue, world)) == wanted

    # ---- tokens

    def field(self):
        _, name = self.next()
        field = CLAUSES.get(name.lower(), name.lower())
        if field not in FIELDS:
            raise JqlError(f"Field '{name}' does not exist or you do not have permission to view it.")
        return field

    def value(self):
        kind, text = self.next()
        if kind == "sign":
            raise JqlError(f"Error in the JQL Query: Expecting a value but got '{text}'.")
        return text

    def next(self):
        if self.place >= len(self.tokens):
            raise JqlError("Error in the JQL Query: it ends too early.")
        self.place += 1
        return self.tokens[self.place - 1]

    def word_at(self, ahead):
        place = self.place + ahead
        kind, text = self.tokens[place] if place < len(self.tokens) else ("end", "")
        return text.lower() if kind in ("word", "sign") else None

    def take(self, word):
        if self.word_at(0) != word:
            return False
        self.place += 1
        return True

    def expect(self, sign):
        if not self.take(sign):
            raise JqlError(f"Error in the JQL Query: Expecting '{sign}'.")


def tokens(text):
    place = 0
    while place < len(text.rstrip()):
        found = TOKEN.match(text, place)
        if not found:
            raise JqlError(f"Error in the JQL Query: The character '{text[place]}' is not expected here.")
        quoted = found.group(1) if found.group(1) is not None else found.group(2)
        if quoted is not None:
            yield "text", re.sub(r"\\(.)", r"\1", quoted)
        elif found.group(3):
            yield "sign", found.group(3)
        else:
            yield "word", found.group(4)
        place = found.end()


# ---- what an issue has, and how a value compares to it

def held(field, issue, world):
    """The field's values, all in lower case; an empty list where it is empty."""
    if field == "project":
        record = world.projects[issue["project"]]
        found = [record["key"], record["name"], record["id"]]
    elif field == "key":
        found = [world.key_of(issue), issue["id"]]
    elif field == "issuetype":
        found = [issue["type"], world.types[issue["type"]]["name"]]
    elif field == "status":
        found = [issue["status"], world.statuses[issue["status"]]["name"]]
    elif field == "statuscategory":
        found = world.category_names(issue["status"])
    elif field == "sprint":
        found = [*issue["sprints"], *(world.sprints[key]["name"] for key in issue["sprints"] if key in world.sprints)]
    elif field == "labels":
        found = issue["labels"]
    else:
        found = [issue.get({"duedate": "due"}.get(field, field))]
    return [str(value).lower() for value in found if value is not None]


def comparison(field, sign, value):
    if field == "filter":
        return filter_test(value)
    if field in TIMES:
        return time_test(field, sign, value)
    if sign in ("~", "!~"):
        return lambda issue, _world: (value.lower() in (issue.get(field) or "").lower()) == (sign == "~")
    if sign in ("=", "!="):
        return lambda issue, world: (value.lower() in held(field, issue, world)) == (sign == "=")
    if field == "key":
        number = int(value.rsplit("-", 1)[-1])
        return lambda issue, _world: COMPARE[sign](issue["id"] if value.isdigit() else issue["number"], number)
    raise JqlError(f"The operator '{sign}' is not supported by the '{field}' field.")


def filter_test(value):
    def test(issue, world):
        found = next((one for one in world.filters.values() if value.lower() in (str(one["id"]), one["name"].lower())), None)
        if found is None or found["hidden"]:
            raise JqlError(f"A value with ID '{value}' does not exist for the field 'filter'.")
        return parse(found["jql"]).matches(issue, world)
    return test


def time_test(field, sign, value):
    name = "due" if field == "duedate" else field
    shape = time_shape(value)
    if shape is None:
        raise JqlError(f"Date value '{value}' for field '{field}' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm', "
                       "'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or a period format e.g. '-5d', '4w 2d'.")
    compare = COMPARE.get(sign) or {"=": operator.eq, "!=": operator.ne}[sign]

    def test(issue, world):
        return issue[name] is not None and compare(issue[name], shape(world))
    return test


def time_shape(value):
    """From a value to a function that gives its moment in ms, or None where it is no time."""
    period = re.fullmatch(r"([+-]?)(\d+)([wdhm])", value)
    if period:
        step = timedelta(**{UNITS[period[3]]: int(period[2])}) * (1 if period[1] == "+" else -1)
        return lambda world: world.now() + int(step.total_seconds() * 1000)
    if value.isdigit():
        return lambda _world: int(value)
    for layout in ("%Y-%m-%d %H:%M", "%Y-%m-%d"):
        try:
            moment = datetime.strptime(value.replace("/", "-"), layout)
        except ValueError:
            continue
        return lambda world: int(moment.replace(tzinfo=zone_of(world.zone)).timestamp() * 1000)
    return None


@functools.lru_cache
def zone_of(name):
    """Jira computes in the server's own zone, UTC here, where it does not know the user's."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")
