"""Numbers for people."""

from decimal import Decimal

import pytest

from services.watch.picture.figures import Places, memory, places_for, price, rounded, span, sparkline, spread
from services.watch.picture.layout import shares
from services.watch.terminal import redrawn


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        ("64000.10", "64,000.10"),
        ("3E+3", "3,000"),
        ("0.00001712", "0.00001712"),
        ("0.000017125", "0.00001712"),
        ("1234567.123456789012", "1,234,567.12345679"),
        ("0.0000000012", "1.200e-9"),
    ],
)
def test_price_keeps_its_places(value: str | None, text: str) -> None:
    """A price has the places it came with, eight at most; one that would vanish is written with its power of ten."""
    said = None if value is None else Decimal(value)
    assert price(said, places_for([said])) == text


@pytest.mark.parametrize(
    ("best", "value", "text"),
    [
        ("64000.12", None, "-"),
        ("64000.12", "0", "0.0000"),
        ("64000.12", "0.0016", "0.0016"),
        ("64000.12", "1.4", "1.4000"),
        ("3120.50", "0.0320", "0.03"),
        ("0.00001712", "5.8394", "5.84"),
        ("5", "12345.6", "12,345.60"),
    ],
)
def test_spread_of_a_step_of_the_price_has_two_digits(best: str, value: str | None, text: str) -> None:
    """It has two places, or as many as the least spread needs that these prices can have, whatever it is just now."""
    assert spread(None if value is None else Decimal(value), places_for([Decimal(best), None])) == text


def test_places_suffice_for_all_prices() -> None:
    """The price that was said with the most of them decides."""
    assert places_for([Decimal("64000.1"), Decimal("64000.12"), None]) == Places(2, 4)
    assert places_for([None, None]) == Places(0, 2)
    assert Places(2, 2).widened_by(Places(1, 4)) == Places(2, 4)


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (None, "-"),
        (0, "0.0 µs"),
        (850, "0.8 µs"),
        (9_999, "9.9 µs"),
        (85_400, "85 µs"),
        (1_240_000, "1.2 ms"),
        (999_999_999, "999 ms"),
        (3_240_000_000, "3.2 s"),
        (59_999_999_999, "59 s"),
        (60_000_000_000, "1 min 00 s"),
        (90_000_000_000_000, "1 d 01 h"),
    ],
)
def test_span_has_the_unit_that_fits(nanoseconds: int | None, text: str) -> None:
    """A time has two digits or three, and is never said to be longer than it is."""
    assert span(nanoseconds) == text


@pytest.mark.parametrize(("value", "text"), [("0.04", "0.0"), ("999.9", "999.9"), ("1204.4", "1,204")])
def test_rate_has_tenths_below_a_thousand(value: str, text: str) -> None:
    """Where there are thousands nobody misses the tenths, nor the width that they would take."""
    assert rounded(Decimal(value)) == text


def test_memory_is_in_mebibytes() -> None:
    """A size is what `free -m` would call it."""
    assert memory(130_000_000) == "124 MiB"


@pytest.mark.parametrize(("trail", "bars"), [((), ""), ((5, 5, 5), "▁▁▁"), ((1, 8, 4), "▁█▄"), ((8, 1), "█▁")])
def test_sparkline_goes_from_the_lowest_to_the_highest(trail: tuple[int, ...], bars: str) -> None:
    """The lowest price has the lowest bar, the highest the highest, and what does not move lies on the ground."""
    assert sparkline([Decimal(value) for value in trail]) == bars


@pytest.mark.parametrize(
    ("needs", "room", "given"),
    [
        ([], 5, []),
        ([3, 3], 10, [3, 3]),
        ([50, 3, 4], 20, [13, 3, 4]),
        ([50, 50, 50], 10, [4, 3, 3]),
        ([5, 5], 1, [1, 0]),
        ([5, 5], -1, [0, 0]),
    ],
)
def test_room_is_shared_out_evenly(needs: list[int], room: int, given: list[int]) -> None:
    """Nobody gets more than it needs, and what one does not need goes to the others."""
    assert shares(needs, room) == given


def test_only_what_changed_is_redrawn() -> None:
    """The same picture costs nothing, a changed line is written at its place, another height begins anew."""
    assert redrawn(["a", "b"], ["a", "b"]) == ""
    assert redrawn(["a", "b"], ["a", "c"]) == "\x1b[2;1Hc\x1b[K"
    assert redrawn(["a", "b"], ["a", "", "b"]) == "\x1b[2J\x1b[1;1Ha\x1b[K\x1b[3;1Hb\x1b[K"
