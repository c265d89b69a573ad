"""The executor's process: `python -m services.executor`."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from shared.execution.adopting import AdoptingCore
from shared.execution.core import ExecutorCore
from shared.mesh.exit_codes import UNUSABLE
from shared.mesh.service import Inherits, JournaledPlan, run
from shared.mesh.service.start import PROJECT
from shared.mesh.settings import Configuration, SettingsError, load_configuration
from shared.mesh.trading_account import account_of, gateway_of, limits_of

INSTANCE: Final = "executor"
DRAIN_SECONDS: Final = 12.0


def plan_of(configuration: Configuration) -> JournaledPlan:
    """Put the core and the gateway together."""
    settings = configuration.settings
    core = AdoptingCore(ExecutorCore(account_of(settings), limits_of(settings)))
    return JournaledPlan(
        instance=INSTANCE,
        core=core,
        answers=("approvals", "exits", "control"),
        says=("account",),
        reports="reports",
        inherits=Inherits(instance="flattener", has_adopted=core.has_adopted),
        outside=gateway_of(configuration, instance=INSTANCE),
        drain_seconds=DRAIN_SECONDS,
        heeds_halt=True,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Execute until told to stop, and return the exit code."""
    parser = argparse.ArgumentParser(prog=INSTANCE, description=__doc__)
    parser.add_argument("--root", type=Path, default=PROJECT, help=argparse.SUPPRESS)
    root: Path = parser.parse_args(argv).root
    try:
        plan = plan_of(load_configuration(root=root, environment=os.environ))
    except SettingsError as error:
        sys.stderr.write(f"{INSTANCE}: {error}\n")
        return UNUSABLE
    return run(plan, root=root)


if __name__ == "__main__":
    sys.exit(main())
