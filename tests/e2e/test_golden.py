"""The golden data sets: expected rows of metrics that were worked out by hand."""

import shutil

from conftest import ROOT

GOLDEN = ROOT / "tests" / "golden"


def test_every_golden_case_holds(tarn):
    done = tarn.run("conformance", "--cases", GOLDEN)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "dora: 3 passed, 0 failed" in done.stdout


def test_a_wrong_value_is_named(tarn, tmp_path):
    shutil.copytree(GOLDEN / "dora", tmp_path / "dora")
    expected = tmp_path / "dora" / "expected" / "project_pr_metrics.csv"
    expected.write_text(expected.read_text().replace(",1500,3001,", ",1500,3002,"))
    done = tarn.run("conformance", "--cases", tmp_path)
    assert done.returncode == 1
    assert "project_pr_metrics: row pr1-alpha: column pr_cycle_time" in done.stdout
