"""What the core makes of what is told once."""

from shared.core.service import Note
from shared.execution.vocabulary import KeyUnbound
from tests.shared.execution.desk import Desk, of


def test_key_that_works_from_anywhere_is_warned_of() -> None:
    """A person is told what to change about the key; entries go on."""
    desk = Desk().open()
    (note,) = of(desk.take(KeyUnbound()), Note)
    assert (note.level, note.event) == ("warning", "the key can be used from any address")
    desk.ask(desk.approval())
    assert desk.sent()
