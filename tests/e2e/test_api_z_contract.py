"""Every declared answer of the routes above was seen by one of the API tests; runs last and only where all of them ran."""

import pytest

from conftest import STORES
from api_fixtures import api  # noqa: F401
from contract import SEEN

MODULES = ("connections", "scopes", "remote", "webhooks", "data", "bad_input", "blueprints", "pipelines", "projects", "project_runs")
EMBEDDED_ONLY = True  # what the others saw is of one process, which runs the tests of one store
# Of the frame, not of a route.
LEFT_OUT = {"413"}


def test_every_declared_answer_was_seen(api, request):
    if "embedded" not in STORES:
        pytest.skip("looks at what the tests of the embedded store saw, which STORES leaves out")
    ran = {item.module.__name__ for item in request.session.items}
    if not all(f"test_api_{name}" in ran for name in MODULES):
        pytest.skip("needs all of test_api_*.py in one run")
    # What is declared for every connector is seen where one of them gave it.
    connectors = {name for name in (path.split("/")[2] for path in api.document["paths"] if path.endswith("/connections/{connectionId}"))}

    def generic(path):
        parts = path.split("/")
        return "/".join(parts[:2] + ["{plugin}"] + parts[3:]) if parts[1] == "plugins" and parts[2:] and parts[2] in connectors else path

    seen = {(method, generic(path), status) for method, path, status in SEEN if path is not None}
    missing = []
    for path, methods in api.document["paths"].items():
        if path.startswith("/tarn/"):
            continue
        for method, operation in methods.items():
            for status in set(operation["responses"]) - {"default"} - LEFT_OUT:
                if (method.upper(), generic(path), int(status)) not in seen:
                    missing.append(f"{method.upper()} {path} {status}")
    assert not missing, "\n".join(sorted(missing))
