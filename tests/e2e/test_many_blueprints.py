"""Many blueprints with one cron time: all of them run, and the API answers meanwhile.

BLUEPRINTS sets how many (30). How quick the API was and how much memory it took is printed, for `pytest -s`.
"""

import os
import time

import github
from conftest import FINAL, SIZES, Served
from watched import peak_mb

BLUEPRINTS = int(os.environ.get("BLUEPRINTS", "30"))
REPOS = ["octo/alpha", "octo/beta", "octo/gamma"]


def watch(server, tasks):
    """Waits until all have run; the seconds that answers of the API took."""
    seconds = []
    for _ in range(600 + 10 * BLUEPRINTS):
        began = time.monotonic()
        ended = sum(server.call("GET", f"/pipelines?pageSize=1&status={status}").json()["count"] for status in FINAL)
        seconds.append((time.monotonic() - began) / len(FINAL))
        if ended >= tasks:
            return sorted(seconds)
        time.sleep(0.2)
    raise AssertionError(f"{ended} of {tasks} have run")


def test_blueprints_of_one_time_all_run(tarn):
    with github.start(**SIZES | {"repos": ",".join(REPOS)}) as fake:
        server = Served(tarn)
        try:
            connection = server.add_connection(fake.url)["id"]
            for name in REPOS:
                server.add_repo(connection, name)
            made = []
            for number in range(BLUEPRINTS):
                task = {"plugin": "github", "subtasks": ["Collect Milestones", "Extract Milestones"],
                        "options": {"connectionId": connection, "name": REPOS[number % len(REPOS)]}}
                body = {"name": f"blueprint {number}", "mode": "ADVANCED", "enable": False, "cronConfig": "* * * * *", "plan": [[task]]}
                made.append(server.call("POST", "/blueprints", body).json()["id"])
            # Not in the last seconds of a minute: all are on before their time comes.
            if time.time() % 60 > 45:
                time.sleep(60 - time.time() % 60)
            for blueprint in made:
                assert server.call("PATCH", f"/blueprints/{blueprint}", {"enable": True}).status_code == 200
            seconds = watch(server, BLUEPRINTS)
            for blueprint in made:
                server.call("PATCH", f"/blueprints/{blueprint}", {"enable": False})
            for blueprint in made:
                pipelines = server.call("GET", f"/blueprints/{blueprint}/pipelines").json()["pipelines"]
                ended = {pipeline["status"] for pipeline in pipelines if pipeline["status"] in FINAL}
                assert ended == {"TASK_COMPLETED"}, (blueprint, pipelines)
            print(f"{BLUEPRINTS} blueprints: p95 of the API {1000 * seconds[int(0.95 * len(seconds))]:.1f} ms, "
                  f"peak {peak_mb(server.process.pid)} MB")
        finally:
            server.stop()
