"""The offset to a venue's clock: always within its stated uncertainty, and hard to poison."""

from hypothesis import given
from hypothesis import strategies as st

from shared.mesh.venue_offset import SAMPLES_MAX, SampleRefused, VenueOffset

MILLISECOND_NS = 1_000_000
SECOND_NS = 1_000 * MILLISECOND_NS
VENUE_EPOCH_NS = 1_767_225_600 * SECOND_NS

delays = st.integers(0, 4 * SECOND_NS)
offsets = st.integers(-(10**15), 10**15).map(lambda skew: VENUE_EPOCH_NS + skew)


def sample(offset: VenueOffset, *, true_ns: int, sent_ns: int, there_ns: int, back_ns: int) -> SampleRefused | None:
    """Ask a venue whose clock is `true_ns` ahead of our boot clock, and stamps whole milliseconds."""
    stamp_ns = (sent_ns + there_ns + true_ns) // MILLISECOND_NS * MILLISECOND_NS
    return offset.add(sent_boot_ns=sent_ns, received_boot_ns=sent_ns + there_ns + back_ns, venue_ns=stamp_ns)


@given(offsets, st.lists(st.tuples(delays, delays, delays), min_size=1, max_size=20), delays)
def test_the_truth_lies_within_the_stated_uncertainty(
    true_ns: int, trips: list[tuple[int, int, int]], age_ns: int
) -> None:
    """Whatever the two ways took, however unequal, the true offset is inside what the estimate states."""
    offset, now_ns = VenueOffset(), 0
    for pause_ns, there_ns, back_ns in trips:
        now_ns += pause_ns
        assert sample(offset, true_ns=true_ns, sent_ns=now_ns, there_ns=there_ns, back_ns=back_ns) is None
        now_ns += there_ns + back_ns
    estimate = offset.estimate(boot_ns=now_ns + age_ns)
    assert estimate is not None
    assert abs(estimate.offset_ns - true_ns) <= estimate.uncertainty_ns + 1


@given(offsets, st.integers(-500, 500), st.lists(delays, min_size=1, max_size=10), st.integers(0, 3_600 * SECOND_NS))
def test_the_truth_stays_within_while_clocks_drift(
    true_ns: int, drift_ppm: int, pauses: list[int], age_ns: int
) -> None:
    """The same holds while the venue's clock drifts by up to 500 parts per million against ours."""
    offset, now_ns = VenueOffset(), 0
    for pause_ns in pauses:
        now_ns += pause_ns
        drifted_ns = true_ns + now_ns * drift_ppm // 1_000_000
        sample(offset, true_ns=drifted_ns, sent_ns=now_ns, there_ns=0, back_ns=20 * MILLISECOND_NS)
    now_ns += age_ns
    estimate = offset.estimate(boot_ns=now_ns)
    assert estimate is not None
    assert abs(estimate.offset_ns - (true_ns + now_ns * drift_ppm // 1_000_000)) <= estimate.uncertainty_ns + 2


def test_one_slow_reply_does_not_poison() -> None:
    """A time reply that took 4 s on its way back moves nothing: the least round trip of the last eight counts."""
    offset = VenueOffset()
    for second in range(7):
        sample(
            offset,
            true_ns=VENUE_EPOCH_NS,
            sent_ns=second * SECOND_NS,
            there_ns=5 * MILLISECOND_NS,
            back_ns=5 * MILLISECOND_NS,
        )
    before = offset.estimate(boot_ns=12 * SECOND_NS)
    sample(
        offset,
        true_ns=VENUE_EPOCH_NS,
        sent_ns=8 * SECOND_NS,
        there_ns=5 * MILLISECOND_NS,
        back_ns=3_995 * MILLISECOND_NS,
    )
    assert offset.estimate(boot_ns=12 * SECOND_NS) == before
    assert before is not None
    assert before.uncertainty_ns < 10 * MILLISECOND_NS


def test_a_contradiction_widens_the_uncertainty_until_it_has_left_the_window() -> None:
    """When the venue's clock is set by 1 s nobody can tell old from new, so the doubt is stated, then forgotten."""
    offset = VenueOffset()
    sample(offset, true_ns=VENUE_EPOCH_NS, sent_ns=0, there_ns=MILLISECOND_NS, back_ns=MILLISECOND_NS)
    for second in range(1, SAMPLES_MAX + 1):
        estimate = offset.estimate(boot_ns=second * SECOND_NS)
        assert estimate is not None
        assert (estimate.uncertainty_ns > SECOND_NS // 2) is (second > 1)
        sample(
            offset,
            true_ns=VENUE_EPOCH_NS + SECOND_NS,
            sent_ns=second * SECOND_NS,
            there_ns=9 * MILLISECOND_NS,
            back_ns=9 * MILLISECOND_NS,
        )
    estimate = offset.estimate(boot_ns=(SAMPLES_MAX + 1) * SECOND_NS)
    assert estimate is not None
    assert estimate.uncertainty_ns < 20 * MILLISECOND_NS
    assert abs(estimate.offset_ns - VENUE_EPOCH_NS - SECOND_NS) <= estimate.uncertainty_ns


def test_age_is_uncertainty() -> None:
    """After eight hours of sleep the old samples say so little that nobody would sign an entry by them."""
    offset = VenueOffset()
    sample(offset, true_ns=VENUE_EPOCH_NS, sent_ns=0, there_ns=0, back_ns=0)
    estimate = offset.estimate(boot_ns=8 * 3_600 * SECOND_NS)
    assert estimate is not None
    assert estimate.uncertainty_ns > 10 * SECOND_NS


def test_impossible_samples_are_refused_and_change_nothing() -> None:
    """Time running backwards, an endless round trip and a stamp from no year we know are refused by name."""
    offset = VenueOffset()
    for sent_ns, received_ns, venue_ns, refused in (
        (2, 1, VENUE_EPOCH_NS, SampleRefused.RECEIVED_BEFORE_SENT),
        (0, 11 * SECOND_NS, VENUE_EPOCH_NS, SampleRefused.ROUND_TRIP_TOO_LONG),
        (0, 1, 0, SampleRefused.VENUE_TIME_IMPLAUSIBLE),
        (0, 1, -1, SampleRefused.VENUE_TIME_IMPLAUSIBLE),
        (0, 1, VENUE_EPOCH_NS // MILLISECOND_NS, SampleRefused.VENUE_TIME_IMPLAUSIBLE),
        (0, 1, 2**63, SampleRefused.VENUE_TIME_IMPLAUSIBLE),
    ):
        assert offset.add(sent_boot_ns=sent_ns, received_boot_ns=received_ns, venue_ns=venue_ns) is refused
    assert offset.estimate(boot_ns=0) is None


def test_what_is_signed_is_the_venues_time() -> None:
    """A request is stamped with boot time plus offset; and nothing is known once the samples are forgotten."""
    offset = VenueOffset()
    sample(offset, true_ns=VENUE_EPOCH_NS, sent_ns=0, there_ns=MILLISECOND_NS, back_ns=MILLISECOND_NS)
    estimate = offset.estimate(boot_ns=2 * MILLISECOND_NS)
    assert estimate is not None
    assert abs(estimate.venue_ns(5 * SECOND_NS) - VENUE_EPOCH_NS - 5 * SECOND_NS) <= estimate.uncertainty_ns
    offset.forget()
    assert offset.estimate(boot_ns=0) is None
