"""What a source of GitHub data answers to one path, before paging and serialising, and how lists become pages.

A source has `canonical(path)`, `stream(path)`, `answer(path, params)`, `change(dict)` and `state()`. `answer` returns
an Item, a Listing or a Refusal.
"""

import dataclasses
from urllib.parse import parse_qsl, urlencode

DOCS = "https://docs.github.com/rest"
DEFAULT_PER_PAGE = 30
MAX_PER_PAGE = 100


@dataclasses.dataclass
class Item:
    value: object


@dataclasses.dataclass
class Refusal:
    status: int
    message: str
    errors: list = None

    def value(self):
        shown = {"message": self.message, "documentation_url": DOCS, "status": str(self.status)}
        return {**shown, "errors": self.errors} if self.errors else shown


@dataclasses.dataclass
class Listing:
    """`records` in answer order, `show` makes one of them JSON. `wrap` names the key of a wrapped list; `extra` are
    further keys of the wrapper. `reachable` caps the paged results. `link_path` is the path Link headers name.
    `deepest` is the highest page*per_page answered."""
    records: list
    show: object
    wrap: str = None
    reachable: int = None
    link_path: str = None
    deepest: int = None
    extra: dict = dataclasses.field(default_factory=dict)

    def count(self):
        return len(self.records) if self.reachable is None else min(len(self.records), self.reachable)

    def page(self, number, size):
        end = min(number * size, self.count())
        shown = [self.show(record) for record in self.records[(number - 1) * size:end]]
        return {"total_count": len(self.records), **self.extra, self.wrap: shown} if self.wrap else shown


NOT_FOUND = Refusal(404, "Not Found")


def page_of(params):
    return max(whole(params.get("page"), 1), 1)


def size_of(params):
    size = whole(params.get("per_page"), DEFAULT_PER_PAGE)
    return min(size, MAX_PER_PAGE) if size > 0 else DEFAULT_PER_PAGE


def whole(text, default):
    try:
        return int(text)
    except (TypeError, ValueError):
        return default


def link_header(base, query, page, last):
    """GitHub's order and rules: prev, next, last, first; none for a single page; past the end prev is the last page."""
    pages = []
    if page > 1:
        pages.append(("prev", min(page - 1, last)))
    if page < last:
        pages.append(("next", page + 1))
    if page != last:
        pages.append(("last", last))
    if page > 1:
        pages.append(("first", 1))
    if not pages:
        return ""
    return "Link: " + ", ".join(f'<{base}?{with_page(query, page)}>; rel="{rel}"' for rel, page in pages) + "\r\n"


def with_page(query, page):
    """The query in its own order, with the page number replaced or appended."""
    pairs = [(name, str(page) if name == "page" else value) for name, value in parse_qsl(query, keep_blank_values=True)]
    if all(name != "page" for name, _ in pairs):
        pairs.append(("page", str(page)))
    return urlencode(pairs)
