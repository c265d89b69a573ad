"""A lease is as old as its asking, whatever its answer went through."""

from hypothesis import given
from hypothesis import strategies as st

from shared.core.lease import UNANSWERED_MAX, LeaseBook


def test_the_age_counts_from_the_asking() -> None:
    """An answer that lay in a queue for two seconds is a lease of two seconds."""
    book = LeaseBook[str]()
    number = book.asked(now_ns=100)
    assert book.answered(number, "RUN")
    assert book.current is not None
    assert book.current.age_ns(now_ns=2_000_000_100) == 2_000_000_000


def test_an_answer_that_was_overtaken_is_not_taken() -> None:
    """A late answer to an older asking does not replace what is newer, whatever it grants."""
    book = LeaseBook[str]()
    old, new = book.asked(now_ns=1), book.asked(now_ns=2)
    assert book.answered(new, "HALTED")
    assert not book.answered(old, "RUN")
    assert book.current is not None
    assert book.current.granted == "HALTED"


def test_an_answer_is_taken_once() -> None:
    """A repeated answer, or one that was never asked for, changes nothing."""
    book = LeaseBook[str]()
    number = book.asked(now_ns=1)
    assert book.answered(number, "RUN")
    assert not book.answered(number, "RUN")
    assert not book.answered(number + 1, "RUN")


def test_the_unanswered_are_bounded() -> None:
    """Asking somebody who is dead for ever costs no more memory than a minute of it."""
    book = LeaseBook[str]()
    first = book.asked(now_ns=0)
    for now_ns in range(UNANSWERED_MAX):
        book.asked(now_ns)
    assert not book.answered(first, "RUN")


@given(st.lists(st.tuples(st.booleans(), st.integers(min_value=0, max_value=70)), max_size=100))
def test_a_lease_never_looks_younger_than_its_asking(steps: list[tuple[bool, int]]) -> None:
    """However answers are delayed, repeated and shuffled, the age is that of an asking that was really made."""
    book, asked = LeaseBook[int](), dict[int, int]()
    for now_ns, (asks, number) in enumerate(steps):
        if asks:
            asked[book.asked(now_ns)] = now_ns
        else:
            book.answered(number, number)
        if book.current is not None:
            assert asked[book.current.granted] == book.current.asked_at_ns
