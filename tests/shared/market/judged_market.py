"""A market whose observations a gate judges, told in prices, with a clock of its own."""

from decimal import Decimal
from typing import Final

from shared.market.observations import Quote, Trade
from shared.market.quality import Gate, GateSettings, Judged, Refusal
from tests.shared.market.observed import MONDAY, SECOND, a_quote, a_trade

TICK: Final = SECOND // 10


class Market:
    """A gate, and a market that hands it an observation every tenth of a second."""

    def __init__(self, settings: GateSettings | None = None) -> None:
        self.gate = Gate("BTC/USDT", settings or GateSettings())
        self.at_ns = 0
        self.number = 0
        self.refused: dict[Refusal, int] = {}

    def trade(self, price: str | Decimal, quantity: str | Decimal = "1") -> list[Decimal]:
        """Trade at a price, and return the prices that pass."""
        self.step()
        judged = self.judge(a_trade(self.at_ns, price, quantity, trade_id=self.number))
        return [trade.price for trade in judged.passed]

    def trades(self, *prices: str | Decimal) -> list[Decimal]:
        """Trade at several prices, and return those that pass."""
        return [passed for price in prices for passed in self.trade(price)]

    def judge(self, trade: Trade) -> Judged[Trade]:
        """Hand a trade in now."""
        judged = self.gate.trade(trade, venue_now_ns=MONDAY + self.at_ns, received_ns=self.at_ns)
        self.count(judged.refused)
        return judged

    def quote(self, bid: str | Decimal, ask: str | Decimal) -> list[int]:
        """Quote, and return the numbers of the quotes that pass."""
        self.step()
        return [quote.sequence for quote in self.judge_quote(a_quote(self.number, bid, ask)).passed]

    def judge_quote(self, quote: Quote) -> Judged[Quote]:
        """Hand a quote in now."""
        judged = self.gate.quote(quote, venue_now_ns=MONDAY + self.at_ns, received_ns=self.at_ns)
        self.count(judged.refused)
        return judged

    def step(self, by_ns: int = TICK) -> None:
        """Let time go on."""
        self.at_ns += by_ns
        self.number += 1

    def count(self, refused: tuple[tuple[Refusal, int], ...]) -> None:
        """Sum up what was refused."""
        for reason, count in refused:
            self.refused[reason] = self.refused.get(reason, 0) + count

    def doubts(self) -> tuple[str, ...]:
        """Return the doubts of now."""
        return self.gate.doubts(MONDAY + self.at_ns, self.at_ns)


def calm(settings: GateSettings | None = None) -> Market:
    """Make a market that has stood at 100 for a while, with quotes that were just seen."""
    market = Market(settings)
    for _ in range(30):
        assert market.trade("100") == [Decimal(100)]
        assert market.quote("99.9", "100.1") == [market.number]
    assert market.doubts() == ()
    return market


def decimals(*texts: str) -> list[Decimal]:
    """Make Decimals."""
    return [Decimal(text) for text in texts]
