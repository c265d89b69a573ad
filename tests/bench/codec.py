"""What a message costs, encoded and decoded, with its envelope and all checks, against three other ways.

The floor is a bare msgspec struct of the same fields without any check. The other two are what the field commonly
does: a dict through msgpack, and a pydantic model through msgpack.
"""

from decimal import Decimal
from typing import Any, Final, Literal

import msgpack
import msgspec
import pydantic

from proto.codec import EnvelopeCodec, MarketCodec
from proto.envelope import Envelope, MarketEnvelope
from proto.fields import Side
from proto.market import TradeSeen
from proto.orders import SendMarked
from tests.bench.measure import Call, Timing, timed_in_turn
from tests.proto.examples import BODIES, a_market_envelope, an_envelope
from tests.proto.examples_of_data import MARKET_BODIES

TICK_GOAL_US: Final = 1.0
ORDER_GOAL_RATIO: Final = 3.0

Contender = tuple[Call, Call]  # to encode, and to decode


class BareTrade(msgspec.Struct, array_like=True, tag="trade_seen.1"):
    """`TradeSeen` without bounds."""

    symbol: str
    price: float
    quantity: float
    taker_side: Side
    trade_id: str


class BareMarketEnvelope(msgspec.Struct, array_like=True):
    """`MarketEnvelope` around one kind of message, without bounds."""

    epoch: int
    sequence: int
    exchange_time_ns: int | None
    received_wall_ns: int
    published_wall_ns: int
    body: BareTrade


class BareOrderKey(msgspec.Struct, array_like=True):
    """`OrderKey` without bounds."""

    client_order_id: str
    parent_id: str
    strategy: str
    symbol: str
    side: Side
    purpose: Literal["entry", "exit", "cover"]


class BareSendMarked(msgspec.Struct, array_like=True, tag="send_marked.1"):
    """`SendMarked` without bounds."""

    order: BareOrderKey
    order_type: Literal["market", "limit", "limit_ioc", "stop_market", "stop_limit"]
    quantity: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None
    decision_price: Decimal
    cost_expected_fraction: Decimal | None
    child_number: int
    window_ns: int
    lease_age_ns: int | None


class BareEnvelope(msgspec.Struct, array_like=True):
    """`Envelope` around one kind of message, without bounds."""

    schema: int
    sender: str
    epoch: int
    sequence: int
    id: str
    cause_id: str
    sent_wall_ns: int
    boot_id: str
    sent_boot_ns: int
    expires_boot_ns: int | None
    body: BareSendMarked


class TradeModel(pydantic.BaseModel):
    """The same tick, as a pydantic model."""

    symbol: str
    price: float
    quantity: float
    taker_side: Side
    trade_id: str


class MarketModel(pydantic.BaseModel):
    """The same market envelope, as a pydantic model."""

    epoch: int
    sequence: int
    exchange_time_ns: int | None
    received_wall_ns: int
    published_wall_ns: int
    body: TradeModel


class OrderKeyModel(pydantic.BaseModel):
    """The same order key, as a pydantic model."""

    client_order_id: str
    parent_id: str
    strategy: str
    symbol: str
    side: Side
    purpose: Literal["entry", "exit", "cover"]


class SendMarkedModel(pydantic.BaseModel):
    """The same order message, as a pydantic model."""

    order: OrderKeyModel
    order_type: Literal["market", "limit", "limit_ioc", "stop_market", "stop_limit"]
    quantity: Decimal
    limit_price: Decimal | None
    stop_price: Decimal | None
    decision_price: Decimal
    cost_expected_fraction: Decimal | None
    child_number: int
    window_ns: int
    lease_age_ns: int | None


class EnvelopeModel(pydantic.BaseModel):
    """The same envelope, as a pydantic model."""

    schema_: int = pydantic.Field(alias="schema")
    sender: str
    epoch: int
    sequence: int
    id: str
    cause_id: str
    sent_wall_ns: int
    boot_id: str
    sent_boot_ns: int
    expires_boot_ns: int | None
    body: SendMarkedModel


def _bare(frame: bytes, struct: type[msgspec.Struct]) -> Contender:
    decode = msgspec.msgpack.Decoder(struct).decode
    return (msgspec.msgpack.Encoder().encode, decode(frame)), (decode, frame)


def _dict(fields: dict[str, Any]) -> Contender:
    return (msgpack.packb, fields), (msgpack.unpackb, msgpack.packb(fields))


def _pydantic(fields: dict[str, Any], model: type[pydantic.BaseModel]) -> Contender:
    def encode(message: pydantic.BaseModel) -> bytes:
        packed: bytes = msgpack.packb(message.model_dump(mode="json", by_alias=True))
        return packed

    def decode(frame: bytes) -> pydantic.BaseModel:
        return model.model_validate(msgpack.unpackb(frame))

    message = model.model_validate(fields)
    return (encode, message), (decode, encode(message))


def _contenders(
    codec: EnvelopeCodec | MarketCodec,
    envelope: Envelope | MarketEnvelope,
    bare: type[msgspec.Struct],
    model: type[pydantic.BaseModel],
) -> dict[str, Contender]:
    frame = msgspec.msgpack.encode(envelope)
    fields = msgspec.to_builtins(_named(envelope))
    return {
        "bowline": ((codec.encode, envelope), (codec.decode, frame)),
        "bare struct": _bare(frame, bare),
        "msgpack + dict": _dict(fields),
        "pydantic + msgpack": _pydantic(fields, model),
    }


def _tick() -> dict[str, Contender]:
    trade = next(body for body in MARKET_BODIES if isinstance(body, TradeSeen))
    return _contenders(MarketCodec(), a_market_envelope(trade), BareMarketEnvelope, MarketModel)


def _order() -> dict[str, Contender]:
    mark = next(body for body in BODIES if isinstance(body, SendMarked))
    return _contenders(EnvelopeCodec(), an_envelope(mark), BareEnvelope, EnvelopeModel)


def _named(value: object) -> object:
    """Turn positional structs into named fields, as a dict or a model would carry them."""
    if isinstance(value, msgspec.Struct):
        return {name: _named(getattr(value, name)) for name in value.__struct_fields__}
    return value


class Row(msgspec.Struct, frozen=True):
    """One contender of one message: microseconds, and the ratio to the bare struct of the same run."""

    message: str
    contender: str
    encode_us: float
    decode_us: float
    both_us: float
    both_best_us: float
    ratio_to_bare: float


def _rows(message: str, contenders: dict[str, Contender]) -> list[Row]:
    encoded = timed_in_turn({name: encode for name, (encode, _) in contenders.items()})
    decoded = timed_in_turn({name: decode for name, (_, decode) in contenders.items()})
    both = {name: _sum(encoded[name], decoded[name]) for name in contenders}
    return [
        Row(
            message=message,
            contender=name,
            encode_us=round(encoded[name].median_us, 3),
            decode_us=round(decoded[name].median_us, 3),
            both_us=round(both[name].median_us, 3),
            both_best_us=round(both[name].best_us, 3),
            ratio_to_bare=round(both[name].ratio_to(both["bare struct"]), 2),
        )
        for name in contenders
    ]


def _sum(one: Timing, other: Timing) -> Timing:
    rounds = tuple(mine + theirs for mine, theirs in zip(one.rounds_us, other.rounds_us, strict=True))
    return Timing(median_us=one.median_us + other.median_us, best_us=one.best_us + other.best_us, rounds_us=rounds)


def measured() -> list[Row]:
    """Measure a tick and an order message."""
    return [*_rows("tick", _tick()), *_rows("order", _order())]


def table(rows: list[Row]) -> str:
    """Lay the rows out for a person."""
    lines = [f"{'message':8} {'contender':20} {'encode us':>10} {'decode us':>10} {'both us':>10} {'to bare':>8}"]
    lines += [
        f"{row.message:8} {row.contender:20} {row.encode_us:10.3f} {row.decode_us:10.3f} {row.both_us:10.3f}"
        f" {row.ratio_to_bare:7.2f}x"
        for row in rows
    ]
    return "\n".join(lines)


def verdicts(rows: list[Row]) -> list[str]:
    """Hold the figures to their goals, in words; a goal that is missed is said to be missed."""
    tick, order = (next(row for row in rows if (row.message, row.contender) == (name, "bowline")) for name in GOALS)
    return [
        f"tick: {tick.both_us:.2f} us ({tick.both_best_us:.2f} at best), goal at most {TICK_GOAL_US:.1f} us: "
        + _word(tick.both_us <= TICK_GOAL_US),
        f"order: {order.ratio_to_bare:.2f} times the bare struct, goal at most {ORDER_GOAL_RATIO:.0f}: "
        + _word(order.ratio_to_bare <= ORDER_GOAL_RATIO),
    ]


GOALS: Final = ("tick", "order")


def _word(met: bool) -> str:  # noqa: FBT001 -- one private word
    return "met" if met else "MISSED"
