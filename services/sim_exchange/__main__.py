"""The simulated exchange's process: `python -m services.sim_exchange`."""

import argparse
import os
import sys
from pathlib import Path

from services.sim_exchange.core import SimExchangeCore
from services.sim_exchange.process import FOLDER, SimExchange
from shared.mesh.clock import SystemClock
from shared.mesh.service import Plan, run
from shared.mesh.service.start import PROJECT
from shared.mesh.settings import SettingsError, load_configuration

UNUSABLE = 78


def serve(root: Path) -> int:
    """Be the exchange of the project at `root` until told to stop, and return the exit code."""
    try:
        configuration = load_configuration(root=root, environment=os.environ)
    except SettingsError as error:
        sys.stderr.write(f"exchange: {error}\n")
        return UNUSABLE
    chosen = configuration.settings.sim_exchange
    outside = SimExchange(
        directory=configuration.var_directory / FOLDER, port=chosen.port, seed=chosen.seed, clock=SystemClock()
    )
    return run(Plan(instance="exchange", core=SimExchangeCore(), outside=outside), root=root)


def main() -> int:
    """Run the exchange."""
    parser = argparse.ArgumentParser(prog="exchange", description=__doc__)
    parser.add_argument("--root", type=Path, default=PROJECT, help=argparse.SUPPRESS)
    return serve(parser.parse_args().root)


if __name__ == "__main__":
    sys.exit(main())
