"""The process of risk: `python -m services.risk_watchdog`."""

import argparse
import os
import sys
from pathlib import Path
from typing import Final

from proto.schema import schema_digest
from services.risk_watchdog.core.terms import RISK, Likeness, Market, RiskTerms
from services.risk_watchdog.core.watchdog import RiskCore
from shared.mesh.build import build_id
from shared.mesh.exit_codes import UNUSABLE
from shared.mesh.service import JournaledPlan, run
from shared.mesh.service.start import PROJECT
from shared.mesh.settings import Settings, SettingsError, load_configuration, money_hash
from shared.mesh.settings.risk_limits import guard_limits, risk_limits
from shared.mesh.settings.unread_markets import FIRST, symbols_of_first_feed
from shared.trading.costs import FeeAccount

INTENTS: Final = "intents"
LEASE: Final = "lease"
CONTROL: Final = "control"
SNAPSHOTS: Final = "risk"
VERDICTS: Final = "verdicts"


def main() -> int:
    """Run risk."""
    parser = argparse.ArgumentParser(prog="risk", description=__doc__)
    parser.add_argument("--root", type=Path, default=PROJECT, help=argparse.SUPPRESS)
    root: Path = parser.parse_args().root
    try:
        settings = load_configuration(root=root, environment=os.environ).settings
    except SettingsError as error:
        sys.stderr.write(f"{RISK}: {error}\n")
        return UNUSABLE
    return run(plan_of(settings), root=root)


def plan_of(settings: Settings) -> JournaledPlan:
    """Put the core together with the sockets it speaks on."""
    return JournaledPlan(
        instance=RISK,
        core=RiskCore(terms_of(settings)),
        answers=(INTENTS, LEASE, CONTROL),
        says=(SNAPSHOTS,),
        reports=VERDICTS,
        heeds_halt=True,
    )


def terms_of(settings: Settings) -> RiskTerms:
    """Return what the settings say to risk."""
    venue = settings.venue
    return RiskTerms(
        limits=risk_limits(settings.risk),
        guards=guard_limits(settings.risk),
        quote_asset=venue.quote_asset,
        fees=FeeAccount(venue.name, venue.market, venue.vip_level, venue.bnb_fees == "on"),
        markets=markets_of(settings),
        strategies={group.instance: group.owner for group in settings.strategies.groups},
        likeness=Likeness(build_id(PROJECT), schema_digest(), money_hash(settings)),
    )


def markets_of(settings: Settings) -> dict[str, Market]:
    """Return where the prices of each symbol that is traded are read."""
    venue = settings.venue.name
    feeds = dict.fromkeys(symbols_of_first_feed(settings), FIRST)
    feeds |= {symbol: feed.instance for feed in settings.feed.further if feed.venue == venue for symbol in feed.symbols}
    return {symbol: Market(feeds[symbol], f"{venue}/{symbol}") for symbol in settings.venue.symbols}


if __name__ == "__main__":
    sys.exit(main())
