"""GET /metrics: read by Prometheus' own parser; the numbers follow a run; no user's text and no secret in a label."""

import time

from prometheus_client.parser import text_string_to_metric_families

from api_fixtures import api  # noqa: F401
from conftest import FINAL, TOKEN


def scraped(api):
    """(name, labels) -> value"""
    answer = api.call("GET", "/metrics", status=200)
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    found, text = {}, answer.text
    for family in text_string_to_metric_families(text):
        assert family.documentation and family.type in ("counter", "gauge", "histogram"), family
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, key
            found[key] = sample.value
    return found


def value(measured, name, **labels):
    return measured.get((name, frozenset(labels.items())), 0)


def test_the_process_and_the_store_are_measured(api):
    measured = scraped(api)
    assert value(measured, "tarn_build_info", version=api.get("/version")["version"]) == 1
    assert 0 < time.time() - value(measured, "process_start_time_seconds") < 3600
    assert value(measured, "process_resident_memory_bytes") > 10_000_000
    assert 5 < value(measured, "process_open_fds") < value(measured, "process_max_fds")
    assert value(measured, "process_cpu_seconds_total") > 0
    assert value(measured, "tarn_data_file_bytes") > 10_000
    assert value(measured, "tarn_data_file_jobs_waiting") == 0


def test_answers_are_counted_by_route(api):
    def count(measured, route, method, status):
        return value(measured, "tarn_api_requests_total", route=route, method=method, status=str(status))
    before = scraped(api)
    api.get("/ready")
    api.get("/ready")
    api.get("/plugins/github/connections/999", 404)
    api.get("/no-such-secret-path", 404)
    after = scraped(api)
    one = "/plugins/{plugin}/connections/{connectionId}"
    for route, status, more in (("/ready", 200, 2), (one, 404, 1), ("", 404, 1), ("/metrics", 200, 1)):
        assert count(after, route, "GET", status) - count(before, route, "GET", status) == more, route
    took = {labels: number for (name, labels), number in after.items() if name == "tarn_api_request_duration_seconds_bucket"}
    ready = sorted((float(dict(labels)["le"]), number) for labels, number in took.items() if dict(labels)["route"] == "/ready")
    assert len(ready) == 12 and [number for _, number in ready] == sorted(number for _, number in ready)
    assert ready[-1] == (float("inf"), value(after, "tarn_api_request_duration_seconds_count", route="/ready", method="GET"))


def test_a_run_moves_the_numbers(api):
    connection = api.connection(name="planted-connection-name")
    scope = api.scope(connection)
    options = {"connectionId": connection["id"], "name": scope["fullName"]}
    before = scraped(api)
    body = {"name": "planted-blueprint-name", "mode": "ADVANCED", "enable": True, "isManual": True,
            "plan": [[{"plugin": "github", "subtasks": ["Collect Milestones", "Extract Milestones"], "options": options}]]}
    blueprint = api.post("/blueprints", body, 201)["id"]
    began = time.time()
    pipeline = api.post(f"/blueprints/{blueprint}/trigger", {})["id"]
    while (found := api.get(f"/pipelines/{pipeline}"))["status"] not in FINAL:
        time.sleep(0.1)
    assert found["status"] == "TASK_COMPLETED"
    after = scraped(api)

    def more(name, **labels):
        return value(after, name, **labels) - value(before, name, **labels)
    assert more("tarn_pipelines", status="TASK_COMPLETED") == more("tarn_tasks", status="TASK_COMPLETED") == 1
    assert more("tarn_tasks_ended_total", plugin="github", status="TASK_COMPLETED") == 1
    assert more("tarn_task_duration_seconds_count", plugin="github") == 1
    # Three milestones: raw and tool rows.
    assert more("tarn_rows_written_total", plugin="github") >= 6
    assert more("tarn_source_requests_total", plugin="github", outcome="2xx") >= 1
    assert value(after, "tarn_source_budget_requests", plugin="github", connection=str(connection["id"])) > 0
    assert more("tarn_data_file_commits_total") >= 2
    assert value(after, "tarn_pipelines_queued") == 0
    assert began - 1 <= value(after, "tarn_blueprint_last_success_timestamp_seconds", blueprint=str(blueprint)) <= time.time() + 1
    text = api.call("GET", "/metrics").text
    for planted in (TOKEN, "planted-", "octo", api.fake.url, "127.0.0.1"):
        assert planted not in text, planted


def test_a_plugin_that_is_none_makes_no_label(api):
    made = api.call("POST", "/pipelines", {"name": "x", "plan": [[{"plugin": "planted-plugin", "options": {}}]]})
    if made.status_code == 201:
        while api.get(f"/pipelines/{made.json()['id']}")["status"] not in FINAL:
            time.sleep(0.1)
    assert "planted-plugin" not in api.call("GET", "/metrics").text
