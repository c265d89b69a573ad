"""The simulated exchange's own log, read as docs/simulated-exchange.md describes it: what was true at the venue.

Segments are read oldest first. Only the first one's carried-over lines say anything new: what was there before it.
"""

import contextlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal, localcontext
from pathlib import Path
from typing import Any, Final

from services.verify.checker.verdict import Place, Violation

LOG: Final = "exchange log"
SUFFIX: Final = ".jsonl"
ZERO: Final = Decimal(0)
EXACT: Final = Context(prec=200)  # more digits than any sum or product of what is read here has
NS_PER_MS: Final = 1_000_000

ENDINGS: Final = {
    "FILLED": "filled",
    "CANCELED": "canceled",
    "EXPIRED": "expired",
    "EXPIRED_IN_MATCH": "expired",
    "REJECTED": "rejected",
}
CLIENT_ID_FIELDS: Final = ("newClientOrderId", "aboveClientOrderId", "belowClientOrderId")
PLACING: Final = frozenset(
    {
        *("POST /api/v3/order", "POST /api/v3/orderList/oco", "POST /api/v3/order/cancelReplace"),
        *("order.place", "orderList.place.oco", "order.cancelReplace"),
    }
)
READING: Final = frozenset({"GET /api/v3/order", "order.status"})


@dataclass(frozen=True, slots=True)
class OrderState:
    """An order as it was after one line of the log."""

    number: int
    at_ms: int
    status: str
    filled: Decimal
    filled_quote: Decimal

    @property
    def ending(self) -> str | None:
        """Return how it ended, None while it is open."""
        return ENDINGS.get(self.status)


@dataclass(slots=True)
class LogOrder:
    """An order of the venue, with every state it was in."""

    account: str
    symbol: str
    order_id: int
    client_id: str
    side: str
    quantity: Decimal
    states: list[OrderState] = field(default_factory=list)

    @property
    def first(self) -> OrderState:
        """Return the state it was first seen in."""
        return self.states[0]

    @property
    def last(self) -> OrderState:
        """Return the newest state."""
        return self.states[-1]

    def place(self) -> Place:
        """Return where it is last spoken of."""
        return Place(LOG, self.last.number, self.client_id)


@dataclass(frozen=True, slots=True)
class LogTrade:
    """A trade of an account; one that is remembered only was made before the log begins."""

    number: int
    at_ms: int
    account: str
    symbol: str
    order_id: int
    side: str
    trade_id: int
    price: Decimal
    quantity: Decimal
    quote_quantity: Decimal
    fee: Decimal
    fee_asset: str
    is_maker: bool
    time_ms: int
    is_remembered: bool


@dataclass(frozen=True, slots=True)
class LogRequest:
    """A request about an order as it came in, before anything was done with it."""

    number: int
    at_ms: int
    endpoint: str


@dataclass(frozen=True, slots=True)
class LogTransfer:
    """Money that came or went."""

    number: int
    at_ms: int
    account: str
    asset: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Rules:
    """The filters of a symbol at one time."""

    base: str
    quote: str
    tick_size: Decimal
    step_size: Decimal
    quantity_min: Decimal
    notional_min: Decimal


class ExchangeLog:
    """Everything the log says about clients, gathered."""

    def __init__(self, prefix: str) -> None:
        self.prefix: Final = prefix
        self.lines = 0
        self.first_ms: int | None = None
        self.begins_with_nothing = False
        self.orders: Final[dict[tuple[str, int], LogOrder]] = {}
        self.trades: Final[list[LogTrade]] = []
        self.requests: Final[defaultdict[str, list[LogRequest]]] = defaultdict(list)  # by client id
        self.transfers: Final[list[LogTransfer]] = []
        self.rules: Final[defaultdict[str, list[Rules]]] = defaultdict(list)
        self.opening: Final[dict[tuple[str, str], Decimal]] = {}
        self.balances: Final[dict[tuple[str, str], tuple[int, Decimal]]] = {}
        self.troubles: Final[list[Violation]] = []

    def ours(self) -> list[LogOrder]:
        """Return the orders whose client ids begin with our prefix."""
        return [order for order in self.orders.values() if order.client_id.startswith(self.prefix)]

    def requests_of(self, client_id: str, endpoints: frozenset[str]) -> list[LogRequest]:
        """Return the requests about a client id at some endpoints."""
        return [request for request in self.requests.get(client_id, []) if request.endpoint in endpoints]

    def covers(self, wall_ns: int) -> bool:
        """Say whether the log goes back to that time."""
        return self.begins_with_nothing or (self.first_ms is not None and self.first_ms * NS_PER_MS <= wall_ns)

    def rules_of(self, symbol: str) -> list[Rules]:
        """Return every version of a symbol's filters, however it is spelled."""
        return self.rules.get(symbol.replace("/", ""), [])

    def take(self, line: Mapping[str, Any], *, is_first_segment: bool) -> None:
        """Take the next line."""
        number, at_ms = line["number"], line["at_ms"]
        match line["line"]:
            case "CarriedOver" if is_first_segment:
                self._happened(line["carried"], number, at_ms, is_carried=True)
            case "Happened":
                for event in line["events"]:
                    self._happened(event, number, at_ms, is_carried=False)
            case "Received":
                self._received(line, number, at_ms)
            case _:
                pass

    def _received(self, line: Mapping[str, Any], number: int, at_ms: int) -> None:
        endpoint, sent = line["endpoint"], line["sent"]
        fields = CLIENT_ID_FIELDS if endpoint in PLACING else ("origClientOrderId",) if endpoint in READING else ()
        for name in fields:
            client_id = sent.get(name, "")
            if client_id.startswith(self.prefix):
                self.requests[client_id].append(LogRequest(number, at_ms, endpoint))

    def _happened(self, event: Mapping[str, Any], number: int, at_ms: int, *, is_carried: bool) -> None:
        match event["told"]:
            case "OrderChanged":
                self._order_changed(event, number, at_ms)
            case "TradeRemembered":
                self._trade(event["trade"], event["account"], number, at_ms, is_remembered=True)
            case "BalanceChanged":
                self._balance_changed(event, number, at_ms, is_carried=is_carried)
            case "RulesChanged":
                self._rules_changed(event["rules"])
            case _:
                pass

    def _order_changed(self, event: Mapping[str, Any], number: int, at_ms: int) -> None:
        seen = event["order"]
        key = (seen["account"], seen["order_id"])
        if key not in self.orders:
            self.orders[key] = LogOrder(
                account=seen["account"],
                symbol=seen["symbol"],
                order_id=seen["order_id"],
                client_id=seen["client_id"],
                side=seen["side"].lower(),
                quantity=Decimal(seen["quantity"]),
            )
        order = self.orders[key]
        state = OrderState(number, at_ms, seen["status"], Decimal(seen["filled"]), Decimal(seen["filled_quote"]))
        order.states.append(state)
        if event["fill"] is not None:
            self._trade({**seen, "fill": event["fill"]}, order.account, number, at_ms, is_remembered=False)

    def _trade(self, trade: Mapping[str, Any], account: str, number: int, at_ms: int, *, is_remembered: bool) -> None:
        fill = trade["fill"]
        self.trades.append(
            LogTrade(
                number=number,
                at_ms=at_ms,
                account=account,
                symbol=trade["symbol"],
                order_id=trade["order_id"],
                side=trade["side"].lower(),
                trade_id=fill["trade_id"],
                price=Decimal(fill["price"]),
                quantity=Decimal(fill["quantity"]),
                quote_quantity=Decimal(fill["quote_quantity"]),
                fee=Decimal(fill["fee"]),
                fee_asset=fill["fee_asset"],
                is_maker=fill["is_maker"],
                time_ms=fill["time_ms"],
                is_remembered=is_remembered,
            )
        )

    def _balance_changed(self, event: Mapping[str, Any], number: int, at_ms: int, *, is_carried: bool) -> None:
        key = (event["account"], event["asset"])
        total = Decimal(event["balance"]["free"]) + Decimal(event["balance"]["locked"])
        self.balances[key] = (number, total)
        if is_carried:
            self.opening[key] = total
        elif event["reason"] == "TRANSFER":
            self.transfers.append(LogTransfer(number, at_ms, *key, Decimal(event["transferred"])))

    def _rules_changed(self, rules: Mapping[str, Any]) -> None:
        self.rules[rules["symbol"]].append(
            Rules(
                base=rules["base"],
                quote=rules["quote"],
                tick_size=Decimal(rules["tick_size"]),
                step_size=Decimal(rules["step_size"]),
                quantity_min=Decimal(rules["quantity_min"]),
                notional_min=Decimal(rules["notional_min"]),
            )
        )


def last_number(directory: Path) -> int:
    """Return how far the log goes now: what a journal that is read later knows nothing of must be newer."""
    newest = max(directory.glob(f"*{SUFFIX}"), default=None)
    whole = [] if newest is None else [text for text in newest.read_bytes().split(b"\n")[:-1] if text]
    return int(json.loads(whole[-1])["number"]) if whole else 0


def read_log(directory: Path, prefix: str) -> ExchangeLog:
    """Read the log in a directory, also while the exchange writes it."""
    return log_of(_segments(directory), prefix)


def _segments(directory: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(directory.glob(f"*{SUFFIX}")):
        with contextlib.suppress(FileNotFoundError):  # the exchange has thrown it away meanwhile
            yield path.name, path.read_bytes()


def log_of(segments: Iterable[tuple[str, bytes]], prefix: str) -> ExchangeLog:
    """Read a log from its segments, oldest first, each by name and content. What a death cut off never happened."""
    log = ExchangeLog(prefix)
    with localcontext(EXACT):
        _read_into(log, segments)
    return log


def _read_into(log: ExchangeLog, segments: Iterable[tuple[str, bytes]]) -> None:
    number = None
    for place, (name, content) in enumerate(segments):
        for row, text in enumerate(content.split(b"\n")[:-1], start=1):
            try:
                line = json.loads(text)
                if number is not None and line["number"] != number + 1:
                    _trouble(log, f"{name}: after line {number} comes {line['number']}", line["number"])
                number = line["number"]
                if row == 1:
                    _begin(log, name, line, is_first=place == 0)
                log.take(line, is_first_segment=place == 0)
            except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
                _trouble(log, f"{name}: line {row} cannot be read: {error!r}; nothing behind it was", number)
                return
            log.lines += 1


def _begin(log: ExchangeLog, name: str, line: Mapping[str, Any], *, is_first: bool) -> None:
    if line["line"] != "Opened":
        _trouble(log, f"{name}: does not begin with what it carries over", line["number"])
    if is_first:
        log.first_ms = line["at_ms"]
        log.begins_with_nothing = line["carried_over"] == 0


def _trouble(log: ExchangeLog, what: str, number: int | None) -> None:
    log.troubles.append(Violation("I26", what, Place(LOG, number)))
