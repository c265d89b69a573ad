"""What the account has, by its newest readings, and in which steps its symbols trade. Pure.

The readings are the flattener's, which has a key of its own and reads at the venue's prices: so equity is not the word
of the executor, who trades with it. Where no flattener has ever read the account, the executor's readings stand in.
"""

from decimal import Decimal
from typing import Final

from proto.account import AccountSnapshot, InstrumentRules, InstrumentsTold
from proto.envelope import Envelope
from proto.fields import Asset, Instance, Symbol
from services.risk_watchdog.core.facts import Facts
from services.risk_watchdog.core.peers import said_ns
from services.risk_watchdog.core.terms import DAY_NS, EXECUTOR, FLATTENER, SECOND_NS
from shared.core.service import Moment
from shared.risk.book import NOTHING, total

KNOWN_NS_MAX: Final = 15 * SECOND_NS
READINGS: Final = 2  # one may have begun before what it should show


class Readings:
    """What one of the two has read."""

    def __init__(self) -> None:
        self.count = 0  # since we began or stood still
        self.read_ns = 0
        self.equity_quote: Decimal | None = None  # of the newest one, however old
        self.free: dict[Asset, Decimal] = {}
        self.day_start_ns: int | None = None  # the venue's day, once two in a row were of it
        self._newest = (0, 0)
        self._day_seen_ns: int | None = None
        self._spent: list[tuple[Decimal, int]] = []  # and after how many further readings these show it

    @property
    def spent_quote(self) -> Decimal:
        """What entries took that the readings may not show yet."""
        return total(amount for amount, _ in self._spent)

    def spend(self, amount_quote: Decimal) -> None:
        """Hold back what an entry took until readings are sure to show it."""
        self._spent.append((amount_quote, READINGS))

    def take(self, snapshot: AccountSnapshot, epoch: int, read_ns: int) -> bool:
        """Take in a reading; say whether it was a new one."""
        if (epoch, snapshot.read_number) <= self._newest:
            return False
        self._newest = epoch, snapshot.read_number
        self.count, self.read_ns = self.count + 1, read_ns
        self.equity_quote = snapshot.equity_quote
        self.free = {held.asset: held.free for held in snapshot.balances}
        self._spent = [(amount, left - 1) for amount, left in self._spent if left > 1]
        day_ns = snapshot.venue_time_ns // DAY_NS * DAY_NS
        if day_ns == self._day_seen_ns:  # a single strange reading begins no day
            self.day_start_ns = day_ns
        self._day_seen_ns = day_ns
        return True


class Account:
    """Equity, free money and instruments."""

    def __init__(self, quote_asset: Asset, facts: Facts) -> None:
        self.instruments: dict[Symbol, InstrumentRules] = {}
        self._facts: Final = facts
        self._quote_asset: Final = quote_asset
        self._readings: Final = {EXECUTOR: Readings(), FLATTENER: Readings()}
        self._has_switched = False  # the flattener has read often enough in this life, and its readings count

    def begin_anew(self) -> None:
        """Count readings anew: we start, or stood still."""
        for readings in self._readings.values():
            readings.count = 0

    def heard(self, instance: Instance, envelope: Envelope, now: Moment) -> bool:
        """Take in what was said of the account; say whether it was a new reading that counts."""
        match envelope.body:
            case InstrumentsTold(instruments=instruments):
                self.instruments = {rules.symbol: rules for rules in instruments}
            case AccountSnapshot(quote_asset=quote_asset) as snapshot if quote_asset == self._quote_asset:
                is_new = self._readings[instance].take(snapshot, envelope.epoch, said_ns(envelope, now))
                self._has_switched |= self._readings[FLATTENER].count >= READINGS
                return is_new and instance == self._reader
            case _:
                pass
        return False

    def spend(self, amount_quote: Decimal) -> None:
        """Hold back what an entry took until readings are sure to show it."""
        for readings in self._readings.values():
            readings.spend(amount_quote)

    @property
    def equity_quote(self) -> Decimal | None:
        """What the account was worth by the newest reading, however old; None before there was one."""
        return self._counting.equity_quote

    @property
    def day_start_ns(self) -> int | None:
        """When the venue's day began, once two readings in a row were of it."""
        return self._counting.day_start_ns

    @property
    def free_quote(self) -> Decimal:
        """What no order holds, less what was spent since it was read."""
        return self.free(self._quote_asset) - self._counting.spent_quote

    def free(self, asset: Asset) -> Decimal:
        """Return how much of an asset no order holds, by the newest reading."""
        return self._counting.free.get(asset, NOTHING)

    def trouble(self, now: Moment) -> str | None:
        """Say why equity is not known, None while it is."""
        if self._counting.count < READINGS:
            return f"the {self._reader} has not read the account twice yet"
        age_ns = now.boot_ns - self._counting.read_ns
        if age_ns > KNOWN_NS_MAX:
            return f"the account was last told {age_ns // SECOND_NS} s ago: not read, or unpriced"
        return None

    @property
    def _reader(self) -> Instance:
        """Whose readings count: the flattener's, once it has read well, in this life or in one that wrote it down."""
        return FLATTENER if self._has_switched or self._facts.guards.newest > (0, 0) else EXECUTOR

    @property
    def _counting(self) -> Readings:
        return self._readings[self._reader]
