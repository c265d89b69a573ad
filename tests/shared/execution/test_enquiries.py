"""When an order is proved absent, and when it is not."""

from hypothesis import given
from hypothesis import strategies as st

from shared.core.service import Moment
from shared.execution.enquiries import READ_LAG_NS, WINDOW_NS, Enquiries
from shared.execution.vocabulary import OrderRead

STAMP_NS = 1_000_000_000_000
FENCE_NS = STAMP_NS + WINDOW_NS + READ_LAG_NS
NAME = "bw-desk-a"
MS_NS = 1_000_000


def moment(boot_ns: int) -> Moment:
    """Return a moment by the boot clock."""
    return Moment(0, boot_ns, "boot")


def not_shown(venue_time_ns: int, failure: str | None = None) -> OrderRead:
    """Return a reading that shows no order."""
    return OrderRead(NAME, None, venue_time_ns, failure)


readings = st.lists(
    st.tuples(st.integers(STAMP_NS, FENCE_NS + WINDOW_NS), st.sampled_from([None, "the venue is busy"])), max_size=12
)


@given(readings)
def test_absence_is_proved_by_two_good_readings_the_last_beyond_the_fence(told: list[tuple[int, str | None]]) -> None:
    """Whatever readings come, in whatever order: failed and repeated ones count for nothing, and early ones as well."""
    enquiries = Enquiries()
    enquiries.about_doubted(NAME, "BTC/USDT", stamped_venue_ns=STAMP_NS, now=moment(0))
    good, last_ns = 0, -1
    for venue_time_ns, failure in told:
        counts = failure is None and venue_time_ns > last_ns
        if counts:
            good, last_ns = good + 1, venue_time_ns
        is_proof = counts and good >= 2 and venue_time_ns >= FENCE_NS
        assert (enquiries.read(not_shown(venue_time_ns, failure)) == "absent") == is_proof


def test_answer_that_is_told_twice_is_one_reading() -> None:
    """One reading beyond the fence proves nothing, however often it is told; a second one does."""
    enquiries = Enquiries()
    enquiries.about_doubted(NAME, "BTC/USDT", stamped_venue_ns=STAMP_NS, now=moment(0))
    assert [enquiries.read(not_shown(FENCE_NS)) for _ in range(3)] == [None, None, None]
    assert enquiries.read(not_shown(FENCE_NS + 1)) == "absent"


def test_order_that_the_venue_acknowledged_vanishes_only_after_its_lag() -> None:
    """Readings that do not show it yet prove nothing; it is never absent."""
    enquiries = Enquiries()
    enquiries.about_known(NAME, "BTC/USDT", moment(0))
    assert [enquiries.read(not_shown(STAMP_NS + at)) for at in (0, READ_LAG_NS - 1)] == [None, None]
    assert enquiries.read(not_shown(STAMP_NS + READ_LAG_NS)) == "vanished"


def test_questions_come_slower_and_slower_and_never_stop() -> None:
    """It is asked at once, after half a second, one, two, four, and every four from there."""
    enquiries = Enquiries()
    enquiries.about_known(NAME, "BTC/USDT", moment(0))
    assert asked_at(enquiries) == [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500]


def test_new_doubt_does_not_wait_for_the_pauses_of_an_old_one() -> None:
    """A cancellation came back without a word while the order was asked about in vain: half a second, and no more."""
    enquiries = Enquiries()
    enquiries.about_known(NAME, "BTC/USDT", moment(0))
    assert asked_at(enquiries)[-1] == 19_500
    enquiries.about_known(NAME, "BTC/USDT", moment(20_000 * MS_NS))
    assert not enquiries.due(moment(20_499 * MS_NS), STAMP_NS)
    assert enquiries.due(moment(20_500 * MS_NS), STAMP_NS)
    assert not enquiries.due(moment(24_499 * MS_NS), STAMP_NS), "and from there as slowly as before"


def test_question_comes_as_soon_as_its_answer_can_prove_something() -> None:
    """The moment at which absence can be proved is not slept through: somebody waits for the proof to place a stop."""
    enquiries = Enquiries()
    enquiries.about_doubted(NAME, "BTC/USDT", stamped_venue_ns=STAMP_NS, now=moment(0))
    assert asked_at(enquiries) == [0, 500, 1_500, 3_500, 5_250, 9_250, 13_250, 17_250]


def asked_at(enquiries: Enquiries) -> list[int]:
    """Return at which milliseconds questions come."""
    times = range(0, 20_000, 50)
    return [at for at in times if enquiries.due(moment(at * MS_NS), STAMP_NS + at * MS_NS)]


def test_what_is_settled_is_asked_no_more() -> None:
    """A settled order is forgotten; its late answers say nothing."""
    enquiries = Enquiries()
    enquiries.about_doubted(NAME, "BTC/USDT", stamped_venue_ns=STAMP_NS, now=moment(0))
    enquiries.settled(NAME)
    assert not enquiries.due(moment(10**12), STAMP_NS)
    assert enquiries.read(not_shown(FENCE_NS)) is None
