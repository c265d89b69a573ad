"""What was known to be on the account, so that money that went is told from prices that fell."""

from fractions import Fraction
from typing import Final

from services.verify.checker.risk_words import Counted, EquityRead

PLACES: Final = 10**8
TOLERANCE: Final = Fraction(1, 100)


class Sheet:
    """How much there is of each asset that is counted, and its last price. Empty before readings and books agreed.

    What went without a word is missing, and no loss; below nothing if it came.
    """

    def __init__(self) -> None:
        self._held: dict[str, tuple[Fraction, Fraction]] = {}
        self._missing = Fraction(0)

    def learn(self, read: EquityRead) -> None:
        """Take what a reading shows for what is there, as the books do: nothing is missing."""
        self._held = {one.asset: _line(one) for one in read.counted}
        self._missing = Fraction(0)

    def follow(self, read: EquityRead) -> None:
        """Take what a reading shows for what is there, and what was known beside it for missing."""
        known = self.worth(read)
        self._held, self._missing = self._shown(read), Fraction(0)
        there = self.worth(read)
        if known is not None and there is not None:
            self._missing = known - there

    def strays(self, read: EquityRead) -> bool:
        """Say whether a reading shows something else to be there, by over a hundredth of equity."""
        shown = self._shown(read)
        apart = sum((abs(_worth(shown[asset]) - _worth(line)) for asset, line in self._held.items()), Fraction(0))
        return apart > TOLERANCE * abs(Fraction(read.equity_quote))

    def move(self, asset: str, quantity: Fraction) -> None:
        """Take in that so much of an asset came or went."""
        if asset in self._held:
            there, price = self._held[asset]
            self._held[asset] = there + quantity, price

    def recount(self, read: EquityRead) -> Fraction | None:
        """Take in what is counted otherwise, and return what came by that less what went, None if it is the same."""
        now = {one.asset: _line(one) for one in read.counted}
        came, went = now.keys() - self._held.keys(), self._held.keys() - now.keys()
        if not self._held or not (came or went):
            return None
        gone = sum((_worth(self._held.pop(asset)) for asset in went), Fraction(0))
        self._held |= {asset: now[asset] for asset in came}
        return _rounded(sum((_worth(now[asset]) for asset in came), Fraction(0)) - gone)

    def worth(self, read: EquityRead) -> Fraction | None:
        """Return what is known to be there at the prices of a reading, None where nothing is known."""
        if not self._held:
            return None
        prices = {one.asset: Fraction(one.bid_quote) for one in read.counted if one.bid_quote is not None}
        worths = (there * prices.get(asset, price) for asset, (there, price) in self._held.items())
        return _rounded(sum(worths, Fraction(0))) + self._missing

    def _shown(self, read: EquityRead) -> dict[str, tuple[Fraction, Fraction]]:
        """Return what a reading shows, at the last price where it has none."""
        lines = ((one.asset, _line(one)) for one in read.counted)
        return {asset: (there, price or self._held.get(asset, (0, price))[1]) for asset, (there, price) in lines}


def _line(one: Counted) -> tuple[Fraction, Fraction]:
    return Fraction(one.quantity), Fraction(one.bid_quote or 0)


def _worth(line: tuple[Fraction, Fraction]) -> Fraction:
    return line[0] * line[1]


def _rounded(amount: Fraction) -> Fraction:
    return Fraction(round(amount * PLACES), PLACES)
