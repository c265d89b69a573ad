"""The simulated exchange's process: `python -m services.sim_exchange`."""

import argparse
import os
import sys
from pathlib import Path
from typing import Final

from services.sim_exchange.core import SimExchangeCore
from services.sim_exchange.faults.scenario import Scenario, ScenarioRefusedError, read_scenario
from services.sim_exchange.process import FOLDER, Choice, SimExchange
from shared.mesh.clock import SystemClock
from shared.mesh.service import Plan, run
from shared.mesh.service.start import PROJECT
from shared.mesh.settings import SettingsError, load_configuration

UNUSABLE: Final = 78
SCENARIO_BYTES_MAX: Final = 256 * 1024


def serve(root: Path, *, scenario_file: Path | None) -> int:
    """Be the exchange of the project at `root` until told to stop, and return the exit code."""
    try:
        configuration = load_configuration(root=root, environment=os.environ)
        scenario = None if scenario_file is None else _scenario(scenario_file)
    except (OSError, ScenarioRefusedError, SettingsError, UnicodeDecodeError) as error:
        sys.stderr.write(f"exchange: {error}\n")
        return UNUSABLE
    chosen = configuration.settings.sim_exchange
    choice = Choice(
        directory=configuration.var_directory / FOLDER,
        port=chosen.port,
        admin_port=chosen.admin_port if chosen.admin == "on" else None,
        seed=chosen.seed,
        scenario=scenario,
    )
    plan = Plan(instance="exchange", core=SimExchangeCore(), outside=SimExchange(choice, SystemClock()))
    return run(plan, root=root)


def _scenario(file: Path) -> Scenario:
    with file.open("rb") as opened:
        content = opened.read(SCENARIO_BYTES_MAX + 1)
    if len(content) > SCENARIO_BYTES_MAX:
        raise OSError(f"{file} is longer than {SCENARIO_BYTES_MAX} bytes: it is no scenario")
    return read_scenario(content.decode(), name=str(file))


def main() -> int:
    """Run the exchange."""
    parser = argparse.ArgumentParser(prog="exchange", description=__doc__)
    parser.add_argument("--root", type=Path, default=PROJECT, help=argparse.SUPPRESS)
    parser.add_argument(
        "--scenario", type=Path, help="what goes wrong, and when; see docs/simulated-exchange-faults.md"
    )
    arguments = parser.parse_args()
    return serve(arguments.root, scenario_file=arguments.scenario)


if __name__ == "__main__":
    sys.exit(main())
