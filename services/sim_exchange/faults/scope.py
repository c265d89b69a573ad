"""What a fault can strike: requests, answers, reads or events, and which of them. Pure."""

import re
from fnmatch import fnmatchcase
from typing import Final, Literal

import msgspec

from services.sim_exchange.faults import vocabulary as faults
from services.sim_exchange.faults.vocabulary import Fault, When

Point = Literal["request", "reply", "read", "event"]

PLACE: Final = "POST /api/v3/order"
CANCEL: Final = "DELETE /api/v3/order"
STATUS: Final = "GET /api/v3/order"
KLINES: Final = "GET /api/v3/klines"
REPORT: Final = "executionReport"

_BOTH_SIDES: Final = frozenset({"GET /api/v3/depth", "GET /api/v3/ticker/bookTicker", "GET /api/v3/ticker/24hr"})
_PRICED: Final = _BOTH_SIDES | {
    f"GET /api/v3/{path}" for path in ("ticker/price", "trades", "aggTrades", "klines", "avgPrice")
}
_BOTH_SIDES_STREAMS: Final = frozenset({"bookTicker", "ticker", "depth", "depth5", "depth10", "depth20"})
_PRICED_STREAMS: Final = _BOTH_SIDES_STREAMS | {"trade", "aggTrade", "miniTicker", "kline"}

_STREAM_NAME: Final = re.compile(r"(?:!(?P<of_all>\w+?)@arr|(?P<symbol>\w+)@(?P<kind>[A-Za-z]+[0-9]*)(?:[@_].*)?)")

# What answers in the venue's place, before or after the request was carried out.
_INSTEAD: Final = (faults.HttpStatus, faults.VenueError, faults.EmptyBody, faults.EmptyObject, faults.GarbageBody)
_REPORTS: Final = (
    faults.ReportLost,
    faults.ReportDuplicated,
    faults.ReportsReordered,
    faults.ReportContradictory,
)
_CANDLES: Final = (faults.CandleMissing, faults.CandleDuplicate, faults.CandleRevised)
_AT_REPLIES: Final = (
    faults.DropReply,
    faults.TruncatedBody,
    faults.ForeignBody,
    faults.ForeignAck,
    faults.PartialThenCancel,
)
_ENDPOINTS: Final[dict[type[Fault], frozenset[str]]] = {
    faults.ForeignAck: frozenset({PLACE}),
    faults.PartialThenCancel: frozenset({PLACE}),
    faults.ForeignBody: frozenset({PLACE, CANCEL, STATUS}),
    **dict.fromkeys(_CANDLES, frozenset({KLINES})),
}
_LASTING_ONLY: Final = (faults.RulesChange, faults.Halt, faults.ClockSkew)


class FaultRefusedError(Exception):
    """A fault that cannot be meant: where in it, and what to write instead."""

    def __init__(self, where: str, text: str) -> None:
        super().__init__(f"{where}: {text}" if where else text)
        self.where = where
        self.text = text


class Occasion(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that a fault may strike."""

    point: Point
    endpoint: str = ""
    called: str = ""  # as the client called it: the method of the WebSocket API, where it came over that
    stream: str = ""
    account: str | None = None
    symbol: str | None = None
    client_id: str | None = None
    is_refused: bool = False  # an answer that says no
    is_closed_bar: bool = False
    rests: bool = False  # the order in question is in the book

    @property
    def stream_kind(self) -> str:
        """Return what its stream tells: `kline` for `btcusdt@kline_1m`."""
        return stream_kind(self.stream)


def stream_kind(stream: str) -> str:
    """Return what a stream tells; what an account is told is called by its own name."""
    named = _STREAM_NAME.fullmatch(stream)
    return stream if named is None else named["of_all"] or named["kind"]


def stream_symbol(stream: str) -> str | None:
    """Return the symbol that a market stream is about; None if it is about all."""
    named = _STREAM_NAME.fullmatch(stream)
    return None if named is None or named["symbol"] is None else named["symbol"].upper()


def points(fault: Fault) -> frozenset[Point]:
    """Return where a fault strikes; nowhere if it only begins and ends."""
    if isinstance(fault, _INSTEAD):
        return frozenset({"reply" if fault.executed else "request"})
    if isinstance(fault, faults.StreamCut):
        return frozenset({"event"} if fault.at == "event" else ())
    if isinstance(fault, _LASTING_ONLY):
        return frozenset()
    if isinstance(fault, faults.ReadLag):
        return frozenset({"read"})
    if isinstance(fault, (faults.WrongPrice, *_CANDLES)):
        return frozenset({"reply", "event"})
    if isinstance(fault, (faults.StreamSilent, faults.SequenceGap, *_REPORTS)):
        return frozenset({"event"})
    return frozenset({"reply" if isinstance(fault, _AT_REPLIES) else "request"})


def strikes(fault: Fault, occasion: Occasion) -> bool:
    """Say whether a fault of this kind could strike here, and its scope lets it."""
    return occasion.point in points(fault) and _fits(fault, occasion) and in_scope(fault.when, occasion)


def in_scope(when: When, occasion: Occasion) -> bool:
    """Say whether a scope holds the occasion."""
    return (
        when.account in {None, occasion.account}
        and when.symbol in {None, occasion.symbol}
        and _named(when.endpoint, occasion.endpoint, occasion.called)
        and _named(when.stream, occasion.stream, occasion.stream_kind)
    )


def _named(pattern: str | None, *names: str) -> bool:
    return pattern is None or any(fnmatchcase(name, pattern) for name in names)


def _fits(fault: Fault, occasion: Occasion) -> bool:
    match occasion.point:
        case "request":
            return _fits_request(fault, occasion)
        case "reply":
            return _fits_reply(fault, occasion)
        case "read":
            return occasion.account is not None and occasion.endpoint.startswith("GET ")
        case "event":
            return _fits_event(fault, occasion)


def _fits_request(fault: Fault, occasion: Occasion) -> bool:
    if isinstance(fault, faults.KeyRevoked):
        return occasion.account is not None
    if isinstance(fault, faults.FillAfterCancel):
        return occasion.endpoint == CANCEL and occasion.rests
    return True


def _fits_reply(fault: Fault, occasion: Occasion) -> bool:
    if isinstance(fault, faults.PartialThenCancel) and not occasion.rests:
        return False
    if isinstance(fault, faults.WrongPrice):
        endpoints = _BOTH_SIDES if fault.price == "crossed" else _PRICED
    else:
        endpoints = _ENDPOINTS.get(type(fault), frozenset())
    return not endpoints or (occasion.endpoint in endpoints and not occasion.is_refused)


def _fits_event(fault: Fault, occasion: Occasion) -> bool:
    if isinstance(fault, _REPORTS):
        return occasion.stream == REPORT
    if isinstance(fault, _CANDLES):
        return occasion.is_closed_bar
    if isinstance(fault, faults.SequenceGap):
        return occasion.stream_kind == "depth"
    if isinstance(fault, faults.WrongPrice):
        return occasion.stream_kind in (_BOTH_SIDES_STREAMS if fault.price == "crossed" else _PRICED_STREAMS)
    return True


def check_scope(fault: Fault) -> None:
    """Refuse a fault whose scope has nothing to do with it: it would wait for ever, and nobody would know why."""
    when, at = fault.when, points(fault)
    if isinstance(fault, faults.Banned) and when.until is None:
        raise FaultRefusedError("when.until", "a ban ends some time, and says when: write for example +2m")
    if isinstance(fault, faults.RulesChange | faults.Halt) and when.symbol is not None:
        raise FaultRefusedError("when.symbol", "the symbol stands beside `kind`: write it there alone")
    if not at:
        for name in ("probability", "nth", "every", "most", "endpoint"):
            _refuse_said(when, name, "this fault begins and ends, and strikes nothing in between: leave it out")
    if isinstance(fault, _LASTING_ONLY):
        for name in ("account", "stream"):
            _refuse_said(when, name, "this fault concerns everybody: leave it out")
    elif "event" not in at and not isinstance(fault, faults.StreamCut):
        _refuse_said(when, "stream", "this fault strikes requests, not streams: write `endpoint`")
    if at == {"event"}:
        _refuse_said(when, "endpoint", "this fault strikes streams, not requests: write `stream`")


def _refuse_said(when: When, name: str, advice: str) -> None:
    if getattr(when, name) is not None:
        raise FaultRefusedError(f"when.{name}", advice)
