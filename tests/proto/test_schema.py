"""The messages described as data are the messages that are sent."""

import os
import subprocess
import sys
from typing import get_args

import msgspec
import pytest

from proto.codec import ENVELOPE_BYTES_MAX, MARKET_BYTES_MAX
from proto.envelope import Body, Envelope, MarketEnvelope
from proto.market import MarketBody
from proto.schema import Shape, parts_of, schema_digest, shapes_of
from proto.topics import ORDER_BYTES_MAX, ORDER_SOCKETS, TOPICS, Topic
from tests.proto.messages_page import PAGE, with_written_part

STRUCTS = (Envelope, MarketEnvelope, *get_args(Body), *get_args(MarketBody))


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_every_field_is_bounded(struct: type[msgspec.Struct]) -> None:
    """No number, text or list of any message is without its limits."""
    for part in (struct, *parts_of(struct)):
        for name, shape in shapes_of(part).items():
            held = shape.item or shape
            where = f"{part.__name__}.{name}"
            if held.kind in {"integer", "float"}:
                assert held.meta, where
                assert held.meta.le is not None, where
            if held.kind == "text":
                assert held.meta, where
                assert held.meta.max_length, where
            if held.kind == "decimal":
                assert held.bound, where
            if shape.kind == "list":
                assert shape.meta, where
                assert shape.meta.max_length, where


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_a_field_has_no_default(struct: type[msgspec.Struct]) -> None:
    """A default would let a shorter frame pass for a whole one."""
    for part in (struct, *parts_of(struct)):
        assert not part.__struct_defaults__, part.__name__


@pytest.mark.parametrize("body", get_args(Body), ids=lambda body: body.__name__)
def test_no_float_travels_with_money(body: type[msgspec.Struct]) -> None:
    """Floats belong to market data; whatever else is said is said in Decimals and integers."""
    for part in (body, *parts_of(body)):
        assert "float" not in {(shape.item or shape).kind for shape in shapes_of(part).values()}


def widest(shape: Shape) -> int:
    """Count the bytes the widest value of a field can take: four for every character, 48 for a Decimal."""
    meta = shape.meta or msgspec.Meta()
    match shape.kind:
        case "text":
            return 5 + 4 * (meta.max_length or 0)
        case "decimal":
            return 50
        case "choice":
            return 2 + max(len(str(choice)) for choice in shape.choices)
        case "part":
            return max(widest_struct(part) for part in shape.parts)
        case "list":
            assert shape.item is not None
            return 5 + (meta.max_length or 0) * widest(shape.item)
        case _:
            return 9


def widest_struct(struct: type[msgspec.Struct]) -> int:
    """Count the bytes the widest value of a message or part can take, its tag included."""
    return 5 + len(str(struct.__struct_config__.tag)) + 2 + sum(map(widest, shapes_of(struct).values()))


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.tag)
def test_the_widest_message_fits_its_frame(topic: Topic) -> None:
    """No lawful message is too large to be sent: its bounds together stay within the frame of its socket."""
    if topic.socket == "market":
        assert widest_struct(MarketEnvelope) + widest_struct(topic.message) <= MARKET_BYTES_MAX
        return
    bytes_max = ORDER_BYTES_MAX if topic.socket in ORDER_SOCKETS else ENVELOPE_BYTES_MAX
    assert widest_struct(Envelope) + widest_struct(topic.message) <= bytes_max


def test_the_digest_is_the_same_in_every_process() -> None:
    """Two processes of one build agree on the schema whatever their hash seed."""
    for seed in ("0", "1", "77"):
        said = subprocess.run(
            [sys.executable, "-c", "from proto.schema import schema_digest; print(schema_digest())"],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert said.stdout.strip() == schema_digest()


def test_the_page_of_messages_says_what_the_code_does() -> None:
    """`docs/messages.md` is in step with the code; `python -m tests.proto.messages_page` brings it there."""
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_written_part(page)
