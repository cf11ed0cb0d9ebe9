"""Items no GitHub should send, to see that a collector rejects them one by one instead of failing as a whole."""

KINDS = ("no_id", "object_number", "wrong_list", "bad_time", "text_item", "null_item")


def spoil(value, kind):
    if kind == "text_item":
        return "not an object"
    if kind == "null_item":
        return None
    spoiled = dict(value)
    if kind == "no_id":
        spoiled.pop("id")
    elif kind == "object_number":
        spoiled["number" if "number" in spoiled else "id"] = {"value": 7}
    elif kind == "wrong_list":
        spoiled["labels" if "labels" in spoiled else "user"] = "bug"
    else:
        spoiled["created_at"] = "the day before yesterday"
        spoiled["updated_at"] = 12345
    return spoiled
