"""Runs of the program whose use of the machine is told."""

import contextlib
import os
import subprocess
import tempfile
import time
from pathlib import Path


def peak_mb(pid):
    """So far. What wait4() tells counts the caller's own memory, which a child has until it becomes the program."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return max(int(line.split()[1]) for line in status if line.startswith("VmHWM")) // 1024


def watched(arguments, environment):
    """Runs the program: what it said, its exit code, use of resources and peak of memory."""
    peak = ended = 0
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(arguments, env=environment, stdout=said, stderr=subprocess.STDOUT)
        while not ended:
            time.sleep(0.05)
            with contextlib.suppress(ValueError):  # it has ended: there is no memory any more
                peak = max(peak, peak_mb(process.pid))
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        return said.read(), process.returncode, usage, peak
