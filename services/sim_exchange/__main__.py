"""The simulated exchange's process: `python -m services.sim_exchange`."""

import argparse
import os
import sys
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Final

from services.sim_exchange.core import Serving, SimExchangeCore
from services.sim_exchange.faults.scenario import Scenario, ScenarioRefusedError, read_scenario
from services.sim_exchange.market.intervals import DAY_MS
from services.sim_exchange.market.recording import Recording, RecordingRefusedError
from services.sim_exchange.market.settings import DEFAULT_SYMBOLS, MarketSettings, SymbolMarket, as_lively
from services.sim_exchange.market.source import PriceSource
from services.sim_exchange.market.synthetic import SyntheticMarket
from services.sim_exchange.process import FOLDER, Choice, Prices, SimExchange
from services.sim_exchange.recordings import read_folder
from services.sim_exchange.venue.vocabulary import ClientIdRule
from shared.mesh.clock import SystemClock
from shared.mesh.exit_codes import UNUSABLE
from shared.mesh.service import Plan, run
from shared.mesh.service.start import PROJECT
from shared.mesh.settings import SettingsError, load_configuration

SCENARIO_BYTES_MAX: Final = 256 * 1024
CLIENT_IDS: Final[dict[str, ClientIdRule]] = {
    "open": "unique while open",
    "day": "unique for a day",
    "ever": "unique for ever",
}


def serve(arguments: argparse.Namespace) -> int:
    """Be the exchange of the project chosen until told to stop, and return the exit code."""
    root: Path = arguments.root
    try:
        configuration = load_configuration(root=root, environment=os.environ)
        scenario = None if arguments.scenario is None else _scenario(arguments.scenario)
        chosen = configuration.settings.sim_exchange
        if arguments.bars is None:
            symbols, prices = _made_up(arguments.today, chosen.volatility_fraction)
        else:
            symbols, prices = _recorded(arguments)
    except (OSError, RecordingRefusedError, ScenarioRefusedError, SettingsError) as error:
        sys.stderr.write(f"exchange: {error}\n")
        return UNUSABLE
    choice = Choice(
        directory=configuration.var_directory / FOLDER,
        door=chosen.door,
        admin_door=chosen.admin_door,
        seed=chosen.seed,
        client_ids=CLIENT_IDS[chosen.client_ids],
        symbols=symbols,
        prices=prices,
        scenario=scenario,
    )
    plan = Plan(
        instance="exchange", core=SimExchangeCore(), outside=SimExchange(choice, SystemClock()), open_with=Serving
    )
    return run(plan, root=root)


def choose(parser: argparse.ArgumentParser) -> None:
    """Add what may be chosen for a run."""
    parser.add_argument("--root", type=Path, default=PROJECT, help=argparse.SUPPRESS)
    scenario_help = "what goes wrong, and when; see docs/simulated-exchange-faults.md"
    parser.add_argument("--scenario", type=Path, metavar="FILE", help=scenario_help)
    bars_help = "play recorded bars, such as BTCUSDT-1m.parquet"
    parser.add_argument("--replay", dest="bars", type=Path, metavar="FOLDER", help=bars_help)
    parser.add_argument("--today", type=_day, metavar="DATE", help="the day of the recording to begin at")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("write a day such as 2025-05-20") from None


def _scenario(file: Path) -> Scenario:
    with file.open("rb") as opened:
        content = opened.read(SCENARIO_BYTES_MAX + 1)
    if len(content) > SCENARIO_BYTES_MAX:
        raise OSError(f"{file} is longer than {SCENARIO_BYTES_MAX} bytes: it is no scenario")
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise OSError(f"{file} is no UTF-8 text: write the scenario as YAML in UTF-8") from error
    return read_scenario(text, name=str(file))


def _made_up(today: date | None, volatility: Decimal) -> tuple[tuple[SymbolMarket, ...], Prices]:
    if today is not None:
        raise RecordingRefusedError("--today is a day of a recording: say which one with --replay FOLDER.")
    return as_lively(DEFAULT_SYMBOLS, volatility), lambda settings, _opened_ms: SyntheticMarket(settings)


def _recorded(arguments: argparse.Namespace) -> tuple[tuple[SymbolMarket, ...], Prices]:
    """Read a recording. Without a day it is played from its second day on, so that there is a day to warm up with."""
    folder: Path = arguments.bars
    today: date | None = arguments.today
    bars = read_folder(folder, DEFAULT_SYMBOLS)
    first_ms = min(int(recorded.openings_ms[0]) for recorded in bars.values())
    last_ms = max(int(recorded.openings_ms[-1]) for recorded in bars.values())
    today_ms = first_ms + DAY_MS
    if today is not None:
        today_ms = int(datetime.combine(today, time.min, UTC).timestamp()) * 1_000
    if not first_ms - DAY_MS < today_ms <= last_ms:
        first, last = (datetime.fromtimestamp(at_ms / 1_000, UTC).date() for at_ms in (first_ms, last_ms))
        raise RecordingRefusedError(f"{folder} has the days {first} to {last}: choose one of them with --today.")

    def prices(settings: MarketSettings, opened_ms: int) -> PriceSource:
        return Recording(settings=settings, bars=bars, shift_days=opened_ms // DAY_MS - today_ms // DAY_MS)

    return tuple(market for market in DEFAULT_SYMBOLS if market.rules.symbol in bars), prices


def main() -> int:
    """Run the exchange."""
    parser = argparse.ArgumentParser(prog="exchange", description=__doc__)
    choose(parser)
    return serve(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
