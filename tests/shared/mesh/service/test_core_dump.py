"""What a process that crashes leaves behind of its memory. Real processes, which abort."""

import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import CHECKOUT

CRASH = """
import os, resource, sys
from pathlib import Path
from shared.mesh.service.core_dump import refuse_core_dumps
limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))
if sys.argv[2] == "refuses":
    refuse_core_dumps()
sys.stdout.write(Path("/proc/self/coredump_filter").read_text())
sys.stdout.flush()
os.chdir(sys.argv[3])
os.abort()
"""


@pytest.fixture(autouse=True)
def dumps_allowed() -> None:
    """Skip where no process may dump core anyway."""
    if resource.getrlimit(resource.RLIMIT_CORE)[1] != resource.RLIM_INFINITY:
        pytest.skip("this shell allows no core dumps at all")


def crashed(directory: Path, *, limit: int, how: str) -> int:
    """Have a process crash, and return what parts of its memory a dump would hold, as the kernel counts them."""
    command = [sys.executable, "-c", CRASH, str(limit), how, str(directory)]
    crash = subprocess.run(command, cwd=CHECKOUT, check=False, capture_output=True, text=True)
    assert crash.returncode == -signal.SIGABRT, crash.stderr
    return int(crash.stdout, 16)


@pytest.mark.parametrize("limit", [0, 1, resource.RLIM_INFINITY])
def test_crash_leaves_no_dump(limit: int, tmp_path: Path) -> None:
    """Whatever the limit was before, nothing is written, and a dump would hold no memory."""
    assert crashed(tmp_path, limit=limit, how="refuses") == 0
    assert list(tmp_path.iterdir()) == []


def test_crash_would_leave_a_dump(tmp_path: Path) -> None:
    """Without us there is a dump, where the machine writes it beside the process, and memory in it."""
    assert crashed(tmp_path, limit=resource.RLIM_INFINITY, how="does not") > 0
    pattern = Path("/proc/sys/kernel/core_pattern").read_text()
    if "/" in pattern:
        pytest.skip("on this machine a dump goes where a test cannot see it")
    assert list(tmp_path.iterdir())
