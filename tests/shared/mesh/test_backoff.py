"""The waits between attempts."""

from random import Random
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from shared.mesh.backoff import Backoff

LONGEST_SECONDS: Final = 30.0


class AsLongAsMayBe(Random):
    """Draws the upper end of whatever is asked for."""

    def uniform(self, a: float, b: float) -> float:
        """Return the upper end."""
        return max(a, b)


def backing_off(draws: Random) -> Backoff:
    """Begin with a fifth of a second, and end with half a minute."""
    return Backoff(first_seconds=0.2, longest_seconds=LONGEST_SECONDS, draws=draws)


def test_waits_double_up_to_a_bound() -> None:
    """The bound of a wait doubles from a fifth of a second up to half a minute, and begins anew after a reset."""
    backoff = backing_off(AsLongAsMayBe())
    assert [backoff.next_seconds() for _ in range(10)] == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]
    backoff.reset()
    assert backoff.next_seconds() == 0.2


@given(seed=st.integers(), attempts=st.integers(1, 2_000))
def test_every_wait_is_within_its_bound(seed: int, attempts: int) -> None:
    """However often it fails, a wait is never longer than the longest, and the same seed waits the same."""
    one, other = (backing_off(Random(seed)) for _ in range(2))  # noqa: S311  # to be repeated
    waits = [one.next_seconds() for _ in range(attempts)]
    assert all(0 <= wait <= LONGEST_SECONDS for wait in waits)
    assert waits == [other.next_seconds() for _ in range(attempts)]
