"""The import contracts hold in this checkout, and each breaks when an import against it is planted in a copy."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import CHECKOUT, OURS

PLANTS = (
    ("services, shared, proto", "proto/orders.py", "import shared"),
    ("services, shared, proto", "shared/market/planted.py", "import services.cli"),
    ("No service imports another", "shared/execution/core.py", "import services.cli"),
    ("Only the shells of services import the runtime", "shared/market/planted.py", "import shared.mesh"),
    ("Only the shells of services import the runtime", "proto/orders.py", "import shared.mesh"),
    ("Money is counted without", "shared/risk/planted.py", "import talib"),
    ("Nothing imports the tests", "services/executor/shell.py", "import tests.house"),
)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Return a copy of what the contracts look at."""
    for package in OURS:
        shutil.copytree(CHECKOUT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    return tmp_path


def lint_imports(root: Path) -> "subprocess.CompletedProcess[str]":
    """Check the contracts of the checkout at the root, as `make check` does."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=root, capture_output=True, encoding="utf-8", check=False)


def test_contracts_hold_in_an_untouched_copy(copied: Path) -> None:
    """The copy breaks no contract, so what a plant breaks is the plant's doing."""
    report = lint_imports(copied)
    assert report.returncode == 0, report.stdout + report.stderr


@pytest.mark.parametrize(("contract", "path", "statement"), PLANTS)
def test_contract_breaks_when_an_import_against_it_is_planted(
    contract: str, path: str, statement: str, copied: Path
) -> None:
    """The contract is reported as broken, by its name, with the import that broke it."""
    module = copied / path
    module.parent.mkdir(exist_ok=True)
    (module.parent / "__init__.py").touch()
    module.write_text(f"{statement}\n", encoding="utf-8")
    report = lint_imports(copied)
    broken = [line for line in report.stdout.splitlines() if line.endswith("BROKEN")]
    assert report.returncode == 1, report.stdout + report.stderr
    assert any(contract in line for line in broken), report.stdout
