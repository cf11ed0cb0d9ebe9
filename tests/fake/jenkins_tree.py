"""Jenkins' `tree` parameter: `jobs[name,lastBuild[number]]{0,100}` chooses fields of nested objects and ranges of lists."""

import re

TOKEN = re.compile(r"[\w*]+|[\[\],{}]")


class Malformed(ValueError):
    pass


def parse(text):
    """name -> (tree or None, range or None)"""
    tokens = TOKEN.findall(text)
    if "".join(tokens) != text:
        raise Malformed(text)
    fields = fields_of(tokens)
    if tokens:
        raise Malformed(text)
    return fields


def fields_of(tokens):
    fields = {}
    while True:
        name = take(tokens)
        below, reach = None, None
        if tokens[:1] == ["["]:
            take(tokens)
            below = fields_of(tokens)
            take(tokens, "]")
        if tokens[:1] == ["{"]:
            reach = range_of(tokens)
        fields[name] = (below, reach)
        if tokens[:1] != [","]:
            return fields
        take(tokens)


def range_of(tokens):
    take(tokens, "{")
    first = int(take(tokens))
    take(tokens, ",")
    last = int(take(tokens))
    take(tokens, "}")
    return slice(first, last)


def take(tokens, wanted=None):
    if not tokens or (wanted and tokens[0] != wanted):
        raise Malformed(f"expected {wanted or 'a name'} at {tokens[:1]}")
    return tokens.pop(0)


def chosen(node, fields):
    """What a tree shows of an object (`cls`, `get(name)`; absent fields are left out) or of a plain dict."""
    cls = node.get("_class") if isinstance(node, dict) else node.cls
    shown = {"_class": cls} if cls else {}
    for name, (below, reach) in fields.items():
        names = node.keys() if name == "*" and isinstance(node, dict) else [name]
        for each in names:
            if each == "_class" or not has(node, each):
                continue
            shown[each] = part(node[each] if isinstance(node, dict) else node.get(each), below, reach)
    return shown


def has(node, name):
    return name in node if isinstance(node, dict) else node.has(name)


def part(value, below, reach):
    if isinstance(value, list):
        return [part(item, below, None) for item in value[reach or slice(None)]]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    return chosen(value, below or {})
