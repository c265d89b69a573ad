"""Hypothesis strategies for every message, read off the same shapes the documentation is written from."""

from decimal import Decimal
from typing import get_args

import msgspec
from hypothesis import strategies as st

from proto.envelope import Body, Envelope, MarketEnvelope
from proto.fields import DECIMAL_EXPONENT_MIN, INTEGER_MAX
from proto.market import MarketBody
from proto.schema import Shape, shapes_of

_LIST_LENGTH_MAX = 4


def _decimals(shape: Shape) -> st.SearchStrategy[Decimal]:
    """Draw a number of few digits anywhere in the field's range, so that every digit can be held exactly."""
    bound = shape.bound
    assert bound is not None, "a Decimal field without a bound"
    digits = st.integers(min_value=1, max_value=10**17)
    exponents = st.integers(min_value=DECIMAL_EXPONENT_MIN, max_value=1)
    positive = st.builds(lambda digit, exponent: Decimal(digit).scaleb(exponent), digits, exponents)
    in_range = positive.filter(lambda value: value <= bound.high)
    if bound.low < 0:
        in_range |= in_range.map(lambda value: -value)
    return in_range | st.just(Decimal(0)) if bound.low <= 0 else in_range


def _values(shape: Shape) -> st.SearchStrategy[object]:
    values: st.SearchStrategy[object]
    meta = shape.meta or msgspec.Meta()
    match shape.kind:
        case "integer":
            values = st.integers(min_value=0, max_value=INTEGER_MAX)
        case "float":
            values = st.floats(min_value=meta.ge, max_value=meta.le) if meta.gt is None else _positive_floats(meta)
        case "text":
            letters = st.characters(exclude_categories=["Cs"])
            values = st.text(letters, min_size=meta.min_length or 0, max_size=meta.max_length)
        case "decimal":
            values = _decimals(shape)
        case "flag":
            values = st.booleans()
        case "choice":
            values = st.sampled_from(shape.choices)
        case "part":
            values = st.one_of(*(structs(part) for part in shape.parts))
        case "list":
            assert shape.item is not None, "a list of nothing"
            length_min = meta.min_length or 0
            length_max = max(length_min, _LIST_LENGTH_MAX)
            values = st.lists(_values(shape.item), min_size=length_min, max_size=length_max).map(tuple)
    return st.none() | values if shape.optional else values


def _positive_floats(meta: msgspec.Meta) -> st.SearchStrategy[float]:
    return st.floats(min_value=0, max_value=meta.le, exclude_min=True)


def structs(struct: type[msgspec.Struct]) -> st.SearchStrategy[msgspec.Struct]:
    """Draw any lawful value of a message or part."""
    return st.builds(struct, **{name: _values(shape) for name, shape in shapes_of(struct).items()})


def envelopes() -> st.SearchStrategy[Envelope]:
    """Draw any envelope around any message."""
    bodies = st.one_of(*(structs(body) for body in get_args(Body)))
    fields = {name: _values(shape) for name, shape in shapes_of(Envelope).items()}
    return st.builds(Envelope, **fields, body=bodies)


def market_envelopes() -> st.SearchStrategy[MarketEnvelope]:
    """Draw any market envelope around any market message."""
    bodies = st.one_of(*(structs(body) for body in get_args(MarketBody)))
    fields = {name: _values(shape) for name, shape in shapes_of(MarketEnvelope).items()}
    return st.builds(MarketEnvelope, **fields, body=bodies)
