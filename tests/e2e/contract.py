"""A client that holds every answer against the server's own openapi.json: the status must be declared, the shape must fit.

What was called is kept, so that test_api_z_contract.py can tell which declared answers no test has seen.
"""

import re
from datetime import datetime

import requests

SEEN = set()  # (method, declared path, status)


def problems(value, schema, schemas, where="$"):
    """Where `value` differs from an OpenAPI 3.0 schema, as far as our shapes use it."""
    if "$ref" in schema:
        return problems(value, schemas[schema["$ref"].rsplit("/", 1)[1]], schemas, where)
    if value is None:
        return [] if schema.get("nullable") or not set(schema) - {"title", "description"} else [f"{where}: null"]
    found = [problem for part in schema.get("allOf", []) for problem in problems(value, part, schemas, where)]
    types = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool}
    kind = schema.get("type")
    wrong_flag = isinstance(value, bool) and kind != "boolean"
    if kind and (not isinstance(value, types[kind]) or wrong_flag):
        return [f"{where}: {value!r} is no {kind}"]
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{where}: {value!r} is none of {schema['enum']}")
    if schema.get("format") == "date-time":
        datetime.fromisoformat(value)
    for name in schema.get("required", []):
        if name not in value:
            found.append(f"{where}: no {name}")
    if kind == "object" and "properties" in schema:
        for name, item in value.items():
            if name not in schema["properties"]:
                found.append(f"{where}: undeclared {name}")
            else:
                found += problems(item, schema["properties"][name], schemas, f"{where}.{name}")
    if kind == "array":
        for index, item in enumerate(value):
            found += problems(item, schema.get("items", {}), schemas, f"{where}[{index}]")
    return found


class Contract:
    def __init__(self, url):
        self.url = url
        self.document = requests.get(url + "/openapi.json", timeout=30).json()
        self.schemas = self.document["components"]["schemas"]
        # Fixed parts go before values, and values that may hold slashes come last.
        self.paths = sorted(((self.pattern(path), path) for path in self.document["paths"]),
                            key=lambda entry: (entry[1].count("{"), "{scopeId}" in entry[1], -len(entry[1])))

    @staticmethod
    def pattern(path):
        parts = re.split(r"(\{\w+\})", path)
        wild = {"{scopeId}": ".+", "{path}": ".+"}
        return re.compile("".join(wild.get(part, "[^/]+") if part.startswith("{") else re.escape(part) for part in parts))

    def declared(self, method, path):
        path = re.sub(r"^(/api)?(/rest)?/", "/", path.split("?")[0].rstrip("/") or "/")
        for pattern, declared in self.paths:
            if method.lower() in self.document["paths"][declared] and pattern.fullmatch(path):
                return declared
        return None

    def call(self, method, path, body=None, status=None, **options):
        answer = requests.request(method, self.url + path, json=body, timeout=60, **options)
        if status is not None:
            assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        self.check(method, path, answer)
        return answer

    def check(self, method, path, answer):
        declared = self.declared(method, path)
        if declared is None or "/proxy/" in declared:
            if answer.status_code >= 400 and "/proxy/" not in path:
                assert set(answer.json()) == {"code", "success", "message", "causes", "data"}
            SEEN.add((method, declared, answer.status_code))
            return
        responses = self.document["paths"][declared][method.lower()]["responses"]
        status = str(answer.status_code)
        guarded = re.match(r"(/api)?/rest/", path) and status in ("401", "403")
        assert status in responses or guarded, f"{method} {path} answers {status}, declared are {sorted(responses)}: {answer.text[:300]}"
        SEEN.add((method, declared, answer.status_code))
        response = responses.get(status, responses["default"])
        content = response.get("content", {})
        if "application/json" in content:
            found = problems(answer.json(), content["application/json"]["schema"], self.schemas)
            assert not found, f"{method} {path}: {found[:5]}"
        elif not content:
            assert answer.content == b"", f"{method} {path}: a body that is not declared"
        if answer.status_code >= 400:
            assert answer.json()["success"] is False and len(answer.json()["message"]) > 3

    def get(self, path, status=200, **options):
        return self.call("GET", path, status=status, **options).json()

    def post(self, path, body=None, status=200, **options):
        return self.call("POST", path, body, status, **options).json()

    def put(self, path, body=None, status=200, **options):
        return self.call("PUT", path, body, status, **options).json()

    def patch(self, path, body=None, status=200, **options):
        return self.call("PATCH", path, body, status, **options).json()

    def delete(self, path, status=200, **options):
        return self.call("DELETE", path, status=status, **options).json()
