"""The flattener's process: `python -m services.flattener`."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from services.flattener.core.flattener import FlattenerCore
from services.flattener.desk import Desk
from shared.mesh.clock import SystemClock
from shared.mesh.exit_codes import UNUSABLE
from shared.mesh.service import JournaledPlan, run
from shared.mesh.service.start import PROJECT
from shared.mesh.settings import Configuration, SettingsError, load_configuration
from shared.mesh.trading_account import account_of, gateway_of

INSTANCE: Final = "flattener"
DRAIN_SECONDS: Final = 12.0  # a role that is held is given back before


def plan_of(configuration: Configuration) -> JournaledPlan:
    """Put the core, the gateway and the executor's role together."""
    settings = configuration.settings
    return JournaledPlan(
        instance=INSTANCE,
        core=FlattenerCore(account_of(settings)),
        answers=("control",),
        says=("account",),
        reports="reports",
        outside=Desk(configuration, gateway_of(configuration, instance=INSTANCE), clock=SystemClock()),
        drain_seconds=DRAIN_SECONDS,
        heeds_halt=True,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Stand by until told to stop, and return the exit code."""
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
