"""Rows that every home has from its start: months and benchmark levels, as DevLake's dashboards read them."""

import datetime
import shutil

import pytest

import database_servers
from conftest import Served, Tarn

MONTHS = 144
METRICS = ["Deployment frequency", "Lead time for changes", "Change failure rate"]
REPORTS = {"2021": [*METRICS, "Time to restore service"], "2023": [*METRICS, "Failed deployment recovery time"]}


@pytest.fixture(scope="module", params=["embedded", *database_servers.ENGINES])
def server(request):
    if request.param == "embedded":
        yield None
        return
    with database_servers.start(request.param) as started:
        yield started


def opened(tarn):
    """Once, as anybody's first start."""
    Served(tarn).stop()


def test_a_new_home_has_them(program, tmp_path, server):
    tarn = Tarn(program, tmp_path / "home")
    if server:
        tarn.environment |= {"DB_URL": server.make_database("seeds"), "ENCRYPTION_SECRET": "any"}
    opened(tarn)

    today = datetime.datetime.now(datetime.timezone.utc)
    months = tarn.query("select month, cast(month_timestamp as varchar) as first from calendar_months order by month_timestamp")
    assert len(months) == MONTHS
    assert all(row["first"][:10] == f"20{row['month'][:2]}-{row['month'][3:]}-01" for row in months)
    begin = today.year * 12 + today.month - 1 - 23  # two years ago, the month of that day left out
    assert months[0]["month"] in {f"{one // 12 % 100:02}/{one % 12 + 1:02}" for one in (begin, begin - 1)}  # the month may end in the test
    levels = tarn.query("select metric, dora_report, low, elite from dora_benchmarks order by id")
    assert [(row["dora_report"], row["metric"]) for row in levels] == [(report, metric) for report, metrics in REPORTS.items() for metric in metrics]
    assert all(row["low"].endswith("(low)") and row["elite"].endswith("(elite)") for row in levels)

    if server is None:
        opened(tarn)
        assert tarn.value("select count(*) from calendar_months") == MONTHS and tarn.value("select count(*) from dora_benchmarks") == len(levels)
        return
    # What a user changes or takes out stays so, also with an empty disk.
    assert server.rows("seeds", "select count(*) from calendar_months") == [[str(MONTHS)]]
    server.admin("delete from dora_benchmarks where dora_report = '2021'; update dora_benchmarks set low = 'ours' where id = 5", "seeds")
    shutil.rmtree(tmp_path / "home")
    opened(tarn)
    assert server.rows("seeds", "select low from dora_benchmarks where id <= 5") == [["ours"]]
    assert server.rows("seeds", "select count(*) from calendar_months") == [[str(MONTHS)]]
