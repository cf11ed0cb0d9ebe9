"""Issues no Jira should send, to see that a collector rejects them one by one instead of failing as a whole."""

KINDS = ("no_id", "text_fields", "bad_time", "wrong_labels", "text_item", "null_item")


def spoil(value, kind):
    if kind == "text_item":
        return "not an object"
    if kind == "null_item":
        return None
    spoiled = {**value, "fields": dict(value["fields"])}
    if kind == "no_id":
        spoiled.pop("id")
    elif kind == "text_fields":
        spoiled["fields"] = "none"
    elif kind == "wrong_labels":
        spoiled["fields"]["labels"] = {"name": "bug"}
    else:
        spoiled["fields"]["created"] = "the day before yesterday"
        spoiled["fields"]["updated"] = 12345
    return spoiled
