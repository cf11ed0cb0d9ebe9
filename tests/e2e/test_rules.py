"""Rules of single subtasks: hand-made rows in, rows out that were worked out by hand (tests/rules/<plugin>/cases.json)."""

from conftest import ROOT

RULES = ROOT / "tests" / "rules"


def test_every_rule_holds(tarn):
    done = tarn.run("conformance", "--cases", RULES)
    assert done.returncode == 0, done.stdout + done.stderr
    for folder in RULES.iterdir():
        assert f"{folder.name}: " in done.stdout
