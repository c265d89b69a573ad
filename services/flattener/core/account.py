"""Reads what the account is worth, every two seconds, and says it: risk rests on it, and not on the executor's word."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final

from proto.account import BALANCES_MAX, AccountSnapshot, Balance, Counted
from proto.fields import Asset, Symbol
from shared.core.service import Effect, Moment, Say
from shared.execution.accounts import worth_of
from shared.execution.core import TradedAccount
from shared.execution.vocabulary import ReadWorth, WorthRead
from shared.trading.amounts import EXACT, ZERO
from shared.trading.instruments import assets_of

READ_NS: Final = 2_000_000_000
WHOLE: Final = Decimal(1)


class AccountReader:
    """Asks for one reading at a time; each that could be valued is said, and has a number of its own."""

    def __init__(self, account: TradedAccount) -> None:
        self._account: Final = account
        self._symbols: Final = tuple(account.feeds)
        self._numbers = 0
        self._is_asked = False
        self._due_ns = 0
        self.trouble: str | None = None  # why nothing is said

    def due(self, now: Moment) -> Sequence[Effect]:
        """Return the next question, once its time has come and the one before is answered."""
        if self._is_asked or now.boot_ns < self._due_ns:
            return ()
        self._numbers, self._is_asked, self._due_ns = self._numbers + 1, True, now.boot_ns + READ_NS
        return (ReadWorth(self._numbers, self._symbols),)

    def read(self, answer: WorthRead) -> Sequence[Effect]:
        """Say what was read, if it was, and if all of it that is traded has a price."""
        self._is_asked = False
        if answer.failure is not None:
            self.trouble = f"the account is not read: {answer.failure}"
            return ()
        quote = self._account.quote_asset
        amounts = {held.asset: EXACT.add(held.free, held.locked) for held in answer.balances}
        equity = worth_of(amounts, answer.bids.get, symbols=self._symbols, quote_asset=quote)
        if equity is None:
            self.trouble = "what the account is worth is not known: nobody bids for something that it holds"
            return ()
        self.trouble = None
        snapshot = AccountSnapshot(
            read_number=answer.read_number,
            account_fingerprint=self._account.fingerprint,
            venue_time_ns=answer.venue_time_ns,
            quote_asset=quote,
            equity_quote=equity,
            balances=tuple(Balance(held.asset, held.free, held.locked) for held in answer.balances[:BALANCES_MAX]),
            counted=tuple(self._counted(amounts, answer.bids)),
        )
        return (Say(snapshot),)

    def _counted(self, amounts: Mapping[Asset, Decimal], bids: Mapping[Symbol, Decimal]) -> Iterator[Counted]:
        """Yield what equity is made of: the money itself, and whatever is traded for it, had or not."""
        quote = self._account.quote_asset
        yield Counted(quote, amounts.get(quote, ZERO), WHOLE)
        for symbol in self._symbols:
            base, its_quote = assets_of(symbol)
            if its_quote == quote:
                yield Counted(base, amounts.get(base, ZERO), bids.get(symbol))
