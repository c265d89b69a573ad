"""What a process loads when it starts: our own packages under their names, and nothing heavy it does not need."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import CHECKOUT, OURS

# Packages that cost tens of megabytes or a second of start-up; a process loads one only if its row says so.
HEAVY = frozenset(
    {
        "aiohttp", "ccxt", "dask", "fastapi", "matplotlib", "numba", "numpy", "pandas", "pyarrow", "redis",
        "sqlalchemy", "talib", "telegram", "torch",
    }
)  # fmt: skip

# The process, what its entry point imports, and the heavy packages it may load. Each new process adds its row.
PROCESSES = (("command line", ("proto", "shared.mesh", "services.cli"), frozenset[str]()),)


@pytest.mark.parametrize(("process", "modules", "allowed"), PROCESSES, ids=[row[0] for row in PROCESSES])
def test_process_loads_nothing_heavy_beyond_its_row(
    process: str, modules: tuple[str, ...], allowed: frozenset[str]
) -> None:
    """A fresh interpreter that imports the process's modules holds no heavy package but those of its row."""
    program = f"import sys, {', '.join(modules)}; sys.stdout.write(' '.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, check=True)
    heavy = {name.split(".")[0] for name in loaded.stdout.decode().split()} & HEAVY
    assert heavy <= allowed, (
        f"{process} loads {sorted(heavy - allowed)}: import it where it is used, in its own process"
    )


@pytest.mark.parametrize("package", OURS)
def test_package_is_ours(package: str) -> None:
    """The names proto, shared and services stand for this checkout, and not for another distribution's."""
    assert Path(str(importlib.import_module(package).__file__)).parent == CHECKOUT / package
