"""What the core makes of what is told once."""

from proto.intents import ExitTaken
from shared.core.service import BeWary, Note
from shared.execution.vocabulary import KeyRightsTold, OrderTold
from tests.shared.execution.desk import Desk, of


def test_key_that_works_from_anywhere_is_warned_of() -> None:
    """A person is told what to change about the key; entries go on."""
    desk = Desk().open()
    (note,) = of(desk.take(KeyRightsTold(None, is_bound=False)), Note)
    assert (note.level, note.event) == ("warning", "the key can be used from any address")
    desk.ask(desk.approval())
    assert desk.sent()


def test_key_whose_rights_are_not_known_enters_nothing_and_closes_all_the_same() -> None:
    """The venue is asked, and does not say: a person reads why, once for each reason, until it is answered."""
    desk = Desk().open()
    stop = desk.entered()
    assert not of(desk.take(KeyRightsTold("it was not asked yet")), Note)
    (note,) = of(desk.take(KeyRightsTold("HTTP 503")), Note)
    assert (note.level, note.details) == ("warning", {"reason": "HTTP 503"})
    assert not of(desk.take(KeyRightsTold("HTTP 503")), Note)
    assert of(desk.wait(0.1), BeWary)[-1].troubles == ("the venue does not say what the key may do: HTTP 503",)
    assert isinstance(desk.leave(), ExitTaken)
    desk.take(OrderTold(desk.shown(stop, "canceled"), None))
    assert desk.sent()[-1].side == "sell"
    assert not of(desk.take(KeyRightsTold(None)), Note)
    assert of(desk.wait(0.1), BeWary)[-1].troubles == ()
