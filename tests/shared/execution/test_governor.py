"""How much leaves in a minute, whatever was approved."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.execution.governor import MINUTE_NS, EgressLimits, Governor

LIMITS = EgressLimits(orders_max=6, entries_max=4, symbol_entries_max=2, entries_quote_max=Decimal(100))
orders = st.lists(
    st.tuples(
        st.just(0) | st.integers(0, MINUTE_NS // 3),
        st.sampled_from(["BTC/USDT", "ETH/USDT", "BNB/USDT"]),
        st.none() | st.integers(1, 30).map(Decimal),
    ),
    max_size=60,
)


@settings(max_examples=500)
@given(orders)
def test_no_minute_has_more_than_the_limits(wanted: list[tuple[int, str, Decimal | None]]) -> None:
    """Whoever sends only what is not refused stays within every limit; entries leave two thirds of it to exits."""
    governor, now_ns = Governor(LIMITS), 0
    sent: list[tuple[int, str, Decimal | None]] = []
    for pause_ns, symbol, quote in wanted:
        now_ns += pause_ns
        refusal = governor.refusal(now_ns) if quote is None else governor.entry_refusal(symbol, quote, now_ns)
        if refusal is None:
            governor.sent(symbol, quote, now_ns)
            sent.append((now_ns, symbol, quote))
        minute = [one for one in sent if one[0] > now_ns - MINUTE_NS]
        if quote is None and refusal is not None:
            assert sum(one[2] is None for one in minute) >= LIMITS.orders_max * 2 // 3, "entries hold back no exit"
        entries = [one for one in minute if one[2] is not None]
        assert len(minute) <= LIMITS.orders_max
        assert len(entries) <= LIMITS.entries_max
        assert all(sum(one[1] == of for one in entries) <= LIMITS.symbol_entries_max for _, of, _ in entries)
        assert sum(one[2] or 0 for one in entries) <= LIMITS.entries_quote_max


def test_entries_leave_room_for_their_stops_and_exits() -> None:
    """Room for six orders is room for two entries, each with its stop and its exit."""
    governor = Governor(LIMITS)
    for symbol in ("BTC/USDT", "ETH/USDT"):
        assert governor.entry_refusal(symbol, Decimal(10), 0) is None
        governor.sent(symbol, Decimal(10), 0)
    assert "way out" in (governor.entry_refusal("BNB/USDT", Decimal(10), 0) or "")
    for _ in range(4):
        assert governor.refusal(0) is None
        governor.sent("BTC/USDT", None, 0)
    assert "6 orders" in (governor.refusal(0) or "")
