"""A client order id says where it comes from, fits every venue, and is used once."""

import re
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proto.fields import ID_LENGTH_MAX
from proto.orders import OrderKey
from shared.trading.client_ids import (
    CHILD_MAX,
    LENGTH_MAX,
    AccountTagError,
    ClientId,
    ClientIds,
    account_tag,
    parsed,
)

TAKEN_BY_BINANCE: Final = re.compile(r"^[\.A-Z\:/a-z0-9_-]{1,36}$")

TAGS = st.from_regex(r"[a-z0-9]{1,5}", fullmatch=True)
PARENTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=ID_LENGTH_MAX)
CHILDREN = st.integers(0, CHILD_MAX)
SENDS = st.tuples(PARENTS, CHILDREN)


def test_an_id_is_the_same_for_ever() -> None:
    """Orders of years ago are found by it, so how it is made never changes."""
    ids = ClientIds("main")
    assert ids.of("trend:BTC/USDT:1790000000:buy:1", child_number=12) == "bw-main-b3pwoffiz4wlvg-12"


@given(TAGS, SENDS)
def test_an_id_fits_the_venue_and_says_what_it_is(tag: str, send: tuple[str, int]) -> None:
    """It is short enough, of characters that are taken, and what is in it can be read again."""
    parent, child = send
    client_id = ClientIds(tag).of(parent, child_number=child)
    assert len(client_id) <= LENGTH_MAX
    assert TAKEN_BY_BINANCE.fullmatch(client_id)
    OrderKey(client_id, "parent", "trend", "BTC/USDT", "buy", "entry")
    read = parsed(client_id)
    assert isinstance(read, ClientId)
    assert (read.account_tag, read.child_number) == (tag, child)
    assert read.names(parent)
    assert not read.names(f"{parent}.")


@given(TAGS, SENDS, SENDS)
def test_different_sends_have_different_ids(tag: str, one: tuple[str, int], other: tuple[str, int]) -> None:
    """Parent and child both count."""
    ids = ClientIds(tag)
    first = ids.of(one[0], child_number=one[1])
    for parent in {one[0], other[0]}:
        again = ids.of(parent, child_number=other[1])
        assert (first == again) == (one == (parent, other[1]))


@given(TAGS, TAGS, SENDS)
def test_ours_are_those_of_our_account(tag: str, other: str, send: tuple[str, int]) -> None:
    """Another account's Bowline is a stranger."""
    client_id = ClientIds(tag).of(send[0], child_number=send[1])
    assert ClientIds(tag).is_ours(client_id)
    assert ClientIds(other).is_ours(client_id) == (other == tag)


@given(st.one_of(st.text(), st.from_regex(r"bw-[a-z0-9]{0,6}-[a-z2-9]{13,15}-[0-9]{1,6}")))
def test_what_can_be_read_is_spelled_in_one_way(text: str) -> None:
    """Whatever a venue shows is read or refused; what is read is exactly what would be written."""
    read = parsed(text)
    if read is not None:
        assert text == f"bw-{read.account_tag}-{read.parent_hash}-{read.child_number}"


@pytest.mark.parametrize(
    "strange",
    ["", "web_0f3a", "x-bw-main-aaaaaaaaaaaaaa-1", "bw-main-aaaaaaaaaaaaaa-1\n", "bw-main-aaaaaaaaaaaaaa-01"],
)
def test_a_strangers_order_is_not_ours(strange: str) -> None:
    """The account may be traded by hand and by others."""
    assert not ClientIds("main").is_ours(strange)


@pytest.mark.parametrize("tag", ["", "Main", "toolong", "a-b", "ä"])
def test_a_tag_is_short_and_plain(tag: str) -> None:
    """What would not fit, or not be read again, is refused with what to write."""
    with pytest.raises(AccountTagError, match="one to five"):
        ClientIds(tag)


@pytest.mark.parametrize("child", [-1, CHILD_MAX + 1])
def test_a_number_that_has_no_room_is_a_defect(child: int) -> None:
    """It is not cut off, for then it would be another's."""
    with pytest.raises(AssertionError):
        ClientIds("main").of("parent", child_number=child)


@given(st.text(min_size=1, max_size=48))
def test_every_account_has_a_tag(account: str) -> None:
    """A short name is its own tag; of any other one is made, always the same."""
    tag = account_tag(account)
    assert ClientIds(tag).of("parent", child_number=1).startswith(f"bw-{tag}-")
    assert account_tag(tag) == tag
