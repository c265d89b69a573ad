"""Who offends too often in too short a time is not listened to for a while."""

from shared.mesh.bus.offenders import IGNORED_FOR_NS, OFFENCES_MAX, OFFENCES_WITHIN_NS, Offenders


def test_offences_within_a_second_are_what_counts() -> None:
    """Ten in a second are let pass, the eleventh is not; however many that are further apart change nothing."""
    offenders = Offenders()
    assert not any(offenders.offended("feed", now_ns) for now_ns in range(OFFENCES_MAX))
    assert not any(
        offenders.offended("risk", number * OFFENCES_WITHIN_NS // OFFENCES_MAX) for number in range(10 * OFFENCES_MAX)
    )
    assert not offenders.ignores("feed", OFFENCES_MAX)
    assert offenders.offended("feed", OFFENCES_WITHIN_NS - 1)
    assert offenders.ignores("feed", OFFENCES_WITHIN_NS)
    assert not offenders.ignores("risk", OFFENCES_WITHIN_NS)


def test_an_offender_is_heard_again() -> None:
    """After its time it begins with no offences."""
    offenders = Offenders()
    for _ in range(OFFENCES_MAX + 1):
        offenders.offended("feed", 0)
    assert offenders.ignores("feed", IGNORED_FOR_NS - 1)
    assert not offenders.ignores("feed", IGNORED_FOR_NS)
    assert not offenders.offended("feed", IGNORED_FOR_NS)
    assert not offenders.ignores("feed", IGNORED_FOR_NS)
