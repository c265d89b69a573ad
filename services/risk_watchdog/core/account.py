"""What the account has, by its newest readings, and in which steps its symbols trade. Pure.

The readings are the executor's: those of the flattener, which has a key of its own, take their place with it.
"""

from decimal import Decimal
from typing import Final

from proto.account import AccountSnapshot, InstrumentRules, InstrumentsTold
from proto.envelope import Envelope
from proto.fields import Asset, Symbol
from services.risk_watchdog.core.peers import said_ns
from services.risk_watchdog.core.terms import SECOND_NS
from shared.core.service import Moment
from shared.risk.book import NOTHING, total

KNOWN_NS_MAX: Final = 15 * SECOND_NS
DAY_NS: Final = 86_400 * SECOND_NS
READINGS: Final = 2  # one may have begun before what it should show


class Account:
    """Equity, free money and instruments."""

    def __init__(self, quote_asset: Asset) -> None:
        self.instruments: dict[Symbol, InstrumentRules] = {}
        self.equity_quote: Decimal | None = None  # of the newest reading, however old
        self.day_start_ns: int | None = None  # the venue's day, once two readings in a row were of it
        self._quote_asset: Final = quote_asset
        self._free: dict[Asset, Decimal] = {}
        self._newest = (0, 0)
        self._readings = 0  # since we began or stood still
        self._read_ns = 0
        self._day_seen_ns: int | None = None
        self._spent: list[tuple[Decimal, int]] = []  # and after how many further readings these show it

    def begin_anew(self) -> None:
        """Count readings anew: we start, or stood still."""
        self._readings = 0

    def heard(self, envelope: Envelope, now: Moment) -> bool:
        """Take in what was said of the account; say whether it was a new reading."""
        match envelope.body:
            case InstrumentsTold(instruments=instruments):
                self.instruments = {rules.symbol: rules for rules in instruments}
            case AccountSnapshot(quote_asset=quote_asset) as snapshot if quote_asset == self._quote_asset:
                reading = (envelope.epoch, snapshot.read_number)
                if reading > self._newest:
                    self._newest = reading
                    self._take(snapshot, said_ns(envelope, now))
                    return True
            case _:
                pass
        return False

    def spend(self, amount_quote: Decimal) -> None:
        """Hold back what an entry took until readings are sure to show it."""
        self._spent.append((amount_quote, READINGS))

    @property
    def free_quote(self) -> Decimal:
        """What no order holds, less what was spent since it was read."""
        return self.free(self._quote_asset) - total(amount for amount, _ in self._spent)

    def free(self, asset: Asset) -> Decimal:
        """Return how much of an asset no order holds, by the newest reading."""
        return self._free.get(asset, NOTHING)

    def trouble(self, now: Moment) -> str | None:
        """Say why equity is not known, None while it is."""
        if self._readings < READINGS:
            return "the executor has not read the account twice yet"
        age_ns = now.boot_ns - self._read_ns
        if age_ns > KNOWN_NS_MAX:
            return f"the account was last told {age_ns // SECOND_NS} s ago: not read, or unpriced"
        return None

    def _take(self, snapshot: AccountSnapshot, read_ns: int) -> None:
        self._readings, self._read_ns = self._readings + 1, read_ns
        self.equity_quote = snapshot.equity_quote
        self._free = {held.asset: held.free for held in snapshot.balances}
        self._spent = [(amount, left - 1) for amount, left in self._spent if left > 1]
        day_ns = snapshot.venue_time_ns // DAY_NS * DAY_NS
        if day_ns == self._day_seen_ns:  # a single strange reading begins no day
            self.day_start_ns = day_ns
        self._day_seen_ns = day_ns
