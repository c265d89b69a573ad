"""The money of the account, in double entry: every amount stands twice, once on either side, in the asset it is in.

Of each asset the balance and the sources of all that ever came or went add up to zero, so that

    opening + trades + fees + transfers + dust + outside = balance

to the last digit, always: nothing is rounded here, nothing valued. Only `equity` values, with the marks it is handed.
Whoever posts makes sure that a fill is new (`Positions.fold` says so): the ledger takes what it is given.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal, localcontext
from typing import Final, Literal

import msgspec

from proto.fields import Asset
from shared.trading.amounts import EXACT, ZERO
from shared.trading.fills import Fill

Source = Literal[
    "opening",  # what was there when the books were opened
    "trades",  # bought and sold by us, without fees
    "fees",
    "transfers",  # deposits and withdrawals: no gain, no loss
    "dust",  # remainders too little to sell, which the venue changed into something else
    "outside",  # what somebody else did on the account, and differences nobody could explain, once they are adopted
]
Account = Source | Literal["balance"]


class MarkMissingError(LookupError):
    """An asset that is held has no mark, so nobody can say what all of it is worth."""


class Line(msgspec.Struct, frozen=True):
    """An amount of an asset that an account receives; what it gives is negative."""

    account: Account
    asset: Asset
    amount: Decimal


class Entry(msgspec.Struct, frozen=True):
    """Lines that belong together. What one account receives of an asset, others give."""

    lines: tuple[Line, ...]

    def __post_init__(self) -> None:
        """Make sure that the entry balances."""
        with localcontext(EXACT):
            sums = dict.fromkeys((line.asset for line in self.lines), ZERO)
            for line in self.lines:
                sums[line.asset] += line.amount
        assert not any(sums.values()), f"an entry is out of balance by {sums}"


def entry_of(source: Source, changes: Mapping[Asset, Decimal]) -> Entry:
    """Return the entry for what changed the balances, from one source: a deposit is positive, a withdrawal negative."""
    return Entry(tuple(_lines(source, changes)))


def entry_of_fill(fill: Fill) -> Entry:
    """Return the entry for a trade: what was bought, what was paid, and the fee in whatever asset it was taken."""
    fee = {fill.fee_asset: EXACT.minus(fill.fee)}
    return Entry((*_lines("trades", fill.traded), *_lines("fees", fee)))


def _lines(source: Source, changes: Mapping[Asset, Decimal]) -> Iterable[Line]:
    for asset, amount in changes.items():
        yield Line("balance", asset, amount)
        yield Line(source, asset, EXACT.minus(amount))


class Ledger:
    """The sums of all accounts. Their entries are kept by the journal."""

    def __init__(self, sums: Iterable[Line] = ()) -> None:
        self._sums: Final = {(line.account, line.asset): line.amount for line in sums}

    def state(self) -> tuple[Line, ...]:
        """Return all sums, from which the same ledger can be made again."""
        return tuple(Line(account, asset, amount) for (account, asset), amount in sorted(self._sums.items()))

    def post(self, entry: Entry) -> None:
        """Count an entry."""
        with localcontext(EXACT):
            for line in entry.lines:
                place = line.account, line.asset
                self._sums[place] = self._sums.get(place, ZERO) + line.amount

    def balance(self, asset: Asset) -> Decimal:
        """Return how much there is of an asset."""
        return self._sums.get(("balance", asset), ZERO)

    def balances(self) -> dict[Asset, Decimal]:
        """Return how much there is of each asset that was ever held."""
        return {asset: amount for (account, asset), amount in self._sums.items() if account == "balance"}

    def differences(self, venue: Mapping[Asset, Decimal]) -> dict[Asset, Decimal]:
        """Return how much more the venue says there is of each asset; what agrees is left out."""
        ours = self.balances()
        with localcontext(EXACT):
            apart = {asset: venue.get(asset, ZERO) - ours.get(asset, ZERO) for asset in sorted({*ours, *venue})}
        return {asset: amount for asset, amount in apart.items() if amount}

    def equity(self, marks: Mapping[Asset, Decimal]) -> Decimal:
        """Return what all balances are worth; the mark of the asset that is counted in is 1."""
        with localcontext(EXACT):
            worth = ZERO
            for asset, amount in self.balances().items():
                if amount and asset not in marks:
                    raise MarkMissingError(f"no mark of {asset}, of which there is {amount:f}")
                worth += amount * marks[asset] if amount else ZERO
            return worth
