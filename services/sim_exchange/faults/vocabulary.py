"""The words of the faults: every way in which the exchange can fail on command, and when it is to happen.

A fault is read from JSON, or from a scenario; `kind` says which it is. What a client sees of each, and what is true at
the venue meanwhile, stands in docs/simulated-exchange-faults.md.
"""

import re
from decimal import Decimal
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from services.sim_exchange.faults.moments import moment_ms

DELAY_MS_MAX: Final = 3_600_000
HELD_MS_MAX: Final = 60_000
_BEFORE_A_CAPITAL: Final = re.compile(r"(?<=.)(?=[A-Z])")

Count = Annotated[int, Meta(ge=1, le=1_000_000_000)]
DelayMs = Annotated[int, Meta(ge=0, le=DELAY_MS_MAX)]
HeldMs = Annotated[int, Meta(ge=1, le=HELD_MS_MAX)]
Text = Annotated[str, Meta(min_length=1, max_length=200)]
Symbol = Annotated[str, Meta(pattern="^[A-Z0-9]{2,20}$")]
ErrorStatus = Annotated[int, Meta(ge=400, le=599)]


class When(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which of the requests or events that a fault could strike it does strike: all, unless something is said.

    What is counted are those within the scope, from `since` on. `endpoint` and `stream` may hold `*` for anything.
    """

    probability: Annotated[float, Meta(gt=0, le=1)] | None = None
    nth: Annotated[tuple[Count, ...], Meta(min_length=1, max_length=1_000)] | None = None
    every: Count | None = None
    most: Count | None = None  # how often at most
    account: Text | None = None
    endpoint: Text | None = None  # "POST /api/v3/order" over REST and WebSocket alike, "order.place" over the latter
    symbol: Symbol | None = None
    stream: Text | None = None  # "kline", "btcusdt@kline_1m", "executionReport"
    since: Text | None = None
    until: Text | None = None

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if sum(said is not None for said in (self.probability, self.nth, self.every)) > 1:
            raise ValueError("`probability`, `nth` and `every` exclude each other: keep one")
        for text in (self.since, self.until):
            if text is not None:
                moment_ms(text, 0)


def snake(name: str) -> str:
    """Return the name of a class as a `kind` has it."""
    return _BEFORE_A_CAPITAL.sub("_", name).lower()


class Kind(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    tag_field="kind",
    tag=snake,
):
    """The form that all faults share."""

    when: When = When()


# --- requests that do not arrive, or late ---------------------------------------------------------------------------


class DropRequest(Kind, frozen=True):
    """A request is lost. Its connection ends without an answer, at once or after a while."""

    hold_ms: DelayMs = 0


class LateArrival(Kind, frozen=True):
    """A request is held up on its way. Whether it is still in time is judged again before it is matched."""

    delay_ms: DelayMs


# --- answers that are not the venue's -------------------------------------------------------------------------------


class DropReply(Kind, frozen=True):
    """A request is carried out, and its answer is lost."""

    hold_ms: DelayMs = 0


class HttpStatus(Kind, frozen=True):
    """A gateway answers instead of the venue, which has carried the request out, or never saw it."""

    status: ErrorStatus
    executed: bool
    body: Literal["html", "text", "empty"] = "html"


class VenueError(Kind, frozen=True):
    """The venue answers with an error. Whether that is true is for `executed` to say."""

    code: Annotated[int, Meta(le=-1)]
    executed: bool
    message: Text | None = None  # the venue's own words, where it is a code that is known here
    status: ErrorStatus | None = None

    def __post_init__(self) -> None:
        """Refuse a code without words."""
        if self.message is None and self.code not in KNOWN_ERRORS:
            known = ", ".join(map(str, KNOWN_ERRORS))
            raise ValueError(f"{self.code} is none of the codes whose words are known ({known}): add `message`")


class EmptyBody(Kind, frozen=True):
    """The answer is a 200 with nothing in it."""

    executed: bool


class EmptyObject(Kind, frozen=True):
    """The answer is a 200 with `{}` in it."""

    executed: bool


class GarbageBody(Kind, frozen=True):
    """The answer is a 200 with a page in it that is no JSON."""

    executed: bool


class TruncatedBody(Kind, frozen=True):
    """A request is carried out, and the answer breaks off in the middle."""


class ForeignBody(Kind, frozen=True):
    """A request about an order is carried out, and the answer tells of another order."""


class ForeignAck(Kind, frozen=True):
    """An order is placed, and acknowledged under another client id."""


class RateLimited(Kind, frozen=True):
    """A request is refused for its weight (429), with or without saying how long to wait."""

    retry_after_seconds: Annotated[int, Meta(ge=0, le=259_200)] | None = None


class Banned(Kind, frozen=True):
    """Whoever asks is banned (418) until `when.until`."""


class Maintenance(Kind, frozen=True):
    """Every request is refused (503) until `when.until`, or until the fault is taken away."""


class KeyRevoked(Kind, frozen=True):
    """The keys of an account are good for nothing (-2015). Whoever follows its events loses the connection."""


class ReadLag(Kind, frozen=True):
    """Questions about orders, trades and balances are answered as of so long ago, but not from before the fault."""

    lag_ms: HeldMs


# --- streams --------------------------------------------------------------------------------------------------------


class StreamCut(Kind, frozen=True):
    """The connections of a stream or an account end: once when the fault begins, or with an event that is lost."""

    at: Literal["begin", "event"] = "begin"
    code: Annotated[int, Meta(ge=1_000, le=4_999)] | None = None  # None: without a word, which clients call 1006


class StreamSilent(Kind, frozen=True):
    """Events are not told. The connection stays open, and pings are answered."""


class ReportLost(Kind, frozen=True):
    """An execution report is not told."""


class ReportDuplicated(Kind, frozen=True):
    """An execution report is told several times."""

    times: Annotated[int, Meta(ge=2, le=10)] = 2


class ReportsReordered(Kind, frozen=True):
    """An execution report is told after later ones of its account: after `behind` of them, or when it was held long."""

    behind: Annotated[int, Meta(ge=1, le=100)] = 1
    held_ms: HeldMs = 1_000


class ReportContradictory(Kind, frozen=True):
    """After an execution report comes another that says the order has this status, and was never filled."""

    status: Literal["NEW", "CANCELED", "REJECTED", "EXPIRED"] = "NEW"


class SequenceGap(Kind, frozen=True):
    """Changes of a book are not told, so that the next ones do not join those before."""


# --- orders ---------------------------------------------------------------------------------------------------------


class FillAfterCancel(Kind, frozen=True):
    """The cancellation of an order is acknowledged and reported, and then it is filled: in the book, or as a stop."""

    delay_ms: DelayMs = 500


class PartialThenCancel(Kind, frozen=True):
    """An order that went into the book is filled in part, and the venue cancels the rest."""

    fraction: Annotated[float, Meta(gt=0, lt=1)] = 0.5
    delay_ms: DelayMs = 500


# --- the venue itself -----------------------------------------------------------------------------------------------


class RulesChange(Kind, frozen=True):
    """Filters of a symbol are others as long as the fault lasts."""

    symbol: Symbol
    tick_size: Decimal | None = None
    step_size: Decimal | None = None
    quantity_min: Decimal | None = None
    quantity_max: Decimal | None = None
    notional_min: Decimal | None = None
    notional_max: Decimal | None = None
    percent_up: Decimal | None = None
    percent_down: Decimal | None = None
    open_orders_max: Annotated[int, Meta(ge=0)] | None = None

    def __post_init__(self) -> None:
        """Refuse a change of nothing, and sizes that are none."""
        if not self.changes():
            raise ValueError("changes nothing: say which filter becomes what, such as `tick_size: 0.1`")
        for name, value in self.changes().items():
            if isinstance(value, Decimal) and not (value.is_finite() and value > 0):
                raise ValueError(f"`{name}` is not above 0: write an amount such as 0.1")

    def changes(self) -> dict[str, Decimal | int]:
        """Return the filters that change, by their names in the symbol's rules."""
        said = msgspec.structs.asdict(self)
        return {name: value for name, value in said.items() if name not in {"when", "symbol"} and value is not None}


class Halt(Kind, frozen=True):
    """A symbol does not trade as long as the fault lasts."""

    symbol: Symbol


class ClockSkew(Kind, frozen=True):
    """The venue's clock is so much ahead, or with a negative number behind, as long as the fault lasts."""

    skew_ms: Annotated[int, Meta(ge=-86_400_000, le=86_400_000)]


# --- the market -----------------------------------------------------------------------------------------------------


class WrongPrice(Kind, frozen=True):
    """Prices are told that are none. What is matched, and at which price, stays right."""

    price: Literal["stale", "zero", "negative", "nan", "crossed", "thousandfold"]


class CandleMissing(Kind, frozen=True):
    """A bar that closed is not told by its stream, or one in the middle is left out of an answer."""


class CandleDuplicate(Kind, frozen=True):
    """A bar that closed is told twice by its stream, or one in the middle stands twice in an answer."""


class CandleRevised(Kind, frozen=True):
    """A bar that closed is told again with another close; in an answer one in the middle has another close."""

    by_fraction: Annotated[float, Meta(gt=-0.9, lt=10)] = 0.01


Fault = (
    DropRequest
    | LateArrival
    | DropReply
    | HttpStatus
    | VenueError
    | EmptyBody
    | EmptyObject
    | GarbageBody
    | TruncatedBody
    | ForeignBody
    | ForeignAck
    | RateLimited
    | Banned
    | Maintenance
    | KeyRevoked
    | ReadLag
    | StreamCut
    | StreamSilent
    | ReportLost
    | ReportDuplicated
    | ReportsReordered
    | ReportContradictory
    | SequenceGap
    | FillAfterCancel
    | PartialThenCancel
    | RulesChange
    | Halt
    | ClockSkew
    | WrongPrice
    | CandleMissing
    | CandleDuplicate
    | CandleRevised
)

# What the venue says with a code, and under which HTTP status. Whether -1006 and -1007 were executed nobody says.
KNOWN_ERRORS: Final = {
    -1000: (400, "An unknown error occurred while processing the request."),
    -1001: (500, "Internal error; unable to process your request. Please try again."),
    -1006: (500, "An unexpected response was received from the message bus. Execution status unknown."),
    -1007: (408, "Timeout waiting for response from backend server. Send status unknown; execution status unknown."),
    -1008: (503, "Server is currently overloaded with other requests. Please try again in a few minutes."),
    -1015: (429, "Too many new orders; current limit is 100 orders per 10 SECOND."),
    -1021: (400, "Timestamp for this request is outside of the recvWindow."),
    -2010: (400, "Account has insufficient balance for requested action."),
    -2011: (400, "Unknown order sent."),
    -2013: (400, "Order does not exist."),
    -2015: (401, "Invalid API-key, IP, or permissions for action."),
}
