"""What risk is told when it starts: limits, account, where prices come from, and what its peers shall be like."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from proto.fields import Asset, Digest, Instance, Name, ShortText, Symbol
from shared.risk.guards import GuardLimits
from shared.risk.limits import Limits
from shared.trading.costs import FeeAccount

RISK: Final = "risk"
EXECUTOR: Final = "executor"
FLATTENER: Final = "flattener"
SECOND_NS: Final = 1_000_000_000
DAY_NS: Final = 86_400 * SECOND_NS


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a process was started from: its sources, its messages, and the settings that money depends on."""

    build_id: ShortText
    schema_digest: Digest
    money_config_digest: Digest


@dataclass(frozen=True, slots=True)
class Market:
    """Where the prices of a symbol are read: the feed, and what its topics begin with."""

    feed: Instance
    place: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RiskTerms:
    """All that the settings say to risk."""

    limits: Limits
    guards: GuardLimits
    quote_asset: Asset
    fees: FeeAccount
    markets: Mapping[Symbol, Market]
    strategies: Mapping[Instance, Name]  # that run, and the names that their positions go by
    likeness: Likeness

    @property
    def feeds(self) -> list[Instance]:
        """Who tells the prices."""
        return sorted({market.feed for market in self.markets.values()})
