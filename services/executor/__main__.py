"""The executor's process: `python -m services.executor`."""

import argparse
import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

from shared.execution.core import ExecutorCore, TradedAccount
from shared.execution.governor import EgressLimits
from shared.mesh.clock import SystemClock
from shared.mesh.exit_codes import UNUSABLE
from shared.mesh.gateway.gateway import Gateway
from shared.mesh.service import JournaledPlan, run
from shared.mesh.service.start import PROJECT
from shared.mesh.settings import Configuration, Settings, SettingsError, load_configuration
from shared.mesh.settings.unread_markets import FIRST
from shared.mesh.venue_key import key_source
from shared.trading.client_ids import account_tag
from shared.trading.costs import FeeAccount

INSTANCE: Final = "executor"
DRAIN_SECONDS: Final = 12.0


def account_of(settings: Settings) -> TradedAccount:
    """Return which account is traded, and who reads the market of its symbols."""
    feeds = dict.fromkeys(settings.venue.symbols, FIRST)
    for feed in settings.feed.further:
        if feed.venue == settings.venue.name:
            feeds |= {symbol: feed.instance for symbol in feed.symbols if symbol in feeds}
    name = f"{settings.venue.name}/{settings.venue.account}"
    return TradedAccount(
        venue=settings.venue.name,
        feeds=feeds,
        quote_asset=settings.venue.quote_asset,
        tag=account_tag(settings.venue.account),
        fees=FeeAccount(
            settings.venue.name, settings.venue.market, settings.venue.vip_level, settings.venue.bnb_fees == "on"
        ),
        fingerprint=hashlib.sha256(name.encode()).hexdigest(),
    )


def plan_of(configuration: Configuration) -> JournaledPlan:
    """Put the core and the gateway together."""
    settings = configuration.settings
    limits = EgressLimits(
        orders_max=settings.executor.orders_a_minute_max,
        entries_max=settings.executor.entries_a_minute_max,
        symbol_entries_max=settings.executor.symbol_entries_a_minute_max,
        entries_quote_max=settings.executor.entries_a_minute_quote_max,
    )
    gateway = Gateway(
        venue=settings.venue.name,
        url=settings.venue_address or "",
        key=key_source(configuration, name=INSTANCE),
        clock=SystemClock(),
        draws=Random(),  # noqa: S311  # only how long to wait before another attempt
    )
    return JournaledPlan(
        instance=INSTANCE,
        core=ExecutorCore(account_of(settings), limits),
        answers=("approvals", "exits", "control"),
        says=("account",),
        reports="reports",
        outside=gateway,
        drain_seconds=DRAIN_SECONDS,
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
