"""Who and what is let in: keys, times, weights, counts of orders."""

import pytest

from services.sim_exchange.face.keys import ApiKey, KeyRing, check_permission
from services.sim_exchange.face.recv_window import RecvWindow
from services.sim_exchange.face.refusals import RefusalError
from services.sim_exchange.face.weights import (
    BAN_MS_FIRST,
    REFUSED_BEFORE_BAN,
    Limits,
    OrderCounts,
    RequestWeights,
)

NOW_MS = 1_700_000_040_000  # a full minute
HERE = "127.0.0.1"
KEY = ApiKey(key="k" * 64, secret="secret", account="alice", addresses=frozenset({"10.0.0.1"}))  # noqa: S106  # of a test


@pytest.mark.parametrize(
    ("age_ms", "window_ms", "message"),
    [
        (0, None, ""),
        (-999, None, ""),
        (-1_000, None, "Timestamp for this request was 1000ms ahead of the server's time."),
        (5_000, None, ""),
        (5_001, None, "Timestamp for this request is outside of the recvWindow."),
        (10_000, 10_000, ""),
        (10_001, 10_000, "Timestamp for this request is outside of the recvWindow."),
        (0, 60_001, "recvWindow must be less than 60000."),
    ],
)
def test_request_is_let_in_within_its_window(age_ms: int, window_ms: int | None, message: str) -> None:
    """A request may be a second early, and as old as it says, five seconds if it says nothing."""
    refusal = ""
    try:
        RecvWindow(timestamp=NOW_MS - age_ms, window_ms=window_ms).check_arrival(NOW_MS)
    except RefusalError as error:
        refusal = error.message
    assert refusal == message


def test_request_that_waited_is_refused_before_matching() -> None:
    """What was in time when it came may be late when its turn comes."""
    window = RecvWindow(timestamp=NOW_MS, window_ms=100)
    window.check_arrival(NOW_MS + 100)
    with pytest.raises(RefusalError, match="-1021"):
        window.check_matching(NOW_MS + 101)


def test_microseconds_are_understood() -> None:
    """A timestamp in microseconds is taken as one."""
    RecvWindow(timestamp=NOW_MS * 1_000, window_ms=1).check_arrival(NOW_MS)


@pytest.mark.parametrize(
    ("key", "address", "code"),
    [
        ("", HERE, -2014),
        ("k" * 63, HERE, -2014),
        ("ü" * 64, HERE, -2014),
        ("x" * 64, HERE, -2015),
        ("k" * 64, HERE, -2015),
    ],
)
def test_key_is_known_by_its_form_its_name_and_its_address(key: str, address: str, code: int) -> None:
    """What is no key, an unknown one, and one from elsewhere are refused."""
    ring = KeyRing((KEY,))
    assert ring.identified("k" * 64, address="10.0.0.1") is KEY
    with pytest.raises(RefusalError, match=str(code)):
        ring.identified(key, address=address)


def test_key_without_permission_is_refused_and_hides_its_secret() -> None:
    """A key that may only read does not trade; its repr has no secret in it."""
    check_permission(KEY, "read")
    with pytest.raises(RefusalError, match="-2015"):
        check_permission(KEY, "trade")
    assert "secret" not in repr(KEY)


def test_weight_is_counted_by_the_minute_and_the_address() -> None:
    """The headers say what is used; beyond the limit the answer is 429 and says how long to wait."""
    weights = RequestWeights(Limits(weight_per_minute=10))
    assert weights.charge(HERE, 4, NOW_MS) == {"X-MBX-USED-WEIGHT-1M": "4"}
    assert weights.charge(HERE, 6, NOW_MS + 30_000) == {"X-MBX-USED-WEIGHT-1M": "10"}
    with pytest.raises(RefusalError, match="-1003: Too much request weight used; current limit is 10") as refused:
        weights.charge(HERE, 1, NOW_MS + 30_000)
    assert (refused.value.status, refused.value.retry_after_seconds) == (429, 30)
    assert weights.charge("10.0.0.1", 1, NOW_MS) == {"X-MBX-USED-WEIGHT-1M": "1"}
    assert weights.charge(HERE, 1, NOW_MS, wallet=True) == {"X-SAPI-USED-IP-WEIGHT-1M": "1"}
    assert weights.charge(HERE, 1, NOW_MS + 60_000) == {"X-MBX-USED-WEIGHT-1M": "1"}


def test_who_carries_on_is_banned_and_for_longer_each_time() -> None:
    """After enough requests against a 429 every request is answered by 418, until the ban is over."""
    weights = RequestWeights(Limits(weight_per_minute=1))

    def status(now_ms: int) -> int:
        try:
            weights.charge(HERE, 1, now_ms)
        except RefusalError as refusal:
            return refusal.status
        return 200

    for ban_ms in (BAN_MS_FIRST, 2 * BAN_MS_FIRST):
        now_ms = NOW_MS + 10 * ban_ms
        assert [status(now_ms) for _ in range(REFUSED_BEFORE_BAN + 3)] == [200] + [429] * REFUSED_BEFORE_BAN + [418] * 2
        assert status(now_ms + ban_ms - 1) == 418
        assert status(now_ms + ban_ms) == 200


def test_orders_are_counted_by_account() -> None:
    """Orders placed are counted in ten seconds and in a day; those refused are not."""
    counts = OrderCounts(Limits(orders_per_10_seconds=2, orders_per_day=3))
    counts.check("alice", 2, NOW_MS)
    assert counts.add("alice", 2, NOW_MS) == {"X-MBX-ORDER-COUNT-10S": "2", "X-MBX-ORDER-COUNT-1D": "2"}
    with pytest.raises(RefusalError, match="-1015: Too many new orders; current limit is 2 orders per 10 SECOND"):
        counts.check("alice", 1, NOW_MS + 9_999)
    counts.check("bob", 2, NOW_MS)
    counts.check("alice", 1, NOW_MS + 10_000)
    counts.add("alice", 1, NOW_MS + 10_000)
    with pytest.raises(RefusalError, match="-1015: Too many new orders; current limit is 3 orders per 1 DAY"):
        counts.check("alice", 1, NOW_MS + 20_000)
    assert [row["count"] for row in counts.laid_out("alice", NOW_MS + 20_000)] == [0, 3]
