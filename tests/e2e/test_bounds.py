"""Loads of a size that once did not fit: they end within the MEMORY_LIMIT that is said to carry them."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_dora_of_a_thousand_projects_ends_within_700_mb():
    """200,000 deployments in one pass: the histories of all projects stand in memory as lists."""
    ran = subprocess.run([ROOT / "build" / "bench" / "dora", "1000"], env={**os.environ, "TARN_SHARE": str(ROOT), "MEMORY_LIMIT": "700MB"},
                         capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "1000 projects: 200000 deployments" in ran.stdout, ran.stdout
