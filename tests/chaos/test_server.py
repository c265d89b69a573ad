"""The server of the chaos tests: what it knows is the fold of what it recorded."""

from decimal import Decimal

import msgspec

from proto.envelope import Envelope
from proto.intents import ExitTaken, SetExit
from shared.core.service import Answer, Asked, Moment, Recorded, Report, Restored
from tests.chaos.server import ServerCore
from tests.proto.examples import an_envelope

NOW = Moment(0, 0, "boot")


def a_request(request_id: str) -> Asked:
    """Return a request under this id."""
    body = SetExit(exit_id=request_id, strategy="trend", symbol="BTC/USDT", target_quantity=Decimal(0), reason="a test")
    return Asked("strategy", msgspec.structs.replace(an_envelope(body), id=request_id))


def recorded(report: Report) -> Envelope:
    """Return the record that comes of a report."""
    assert report.cause_id is not None
    return msgspec.structs.replace(an_envelope(report.body), cause_id=report.cause_id)


def test_state_is_the_fold_of_the_records() -> None:
    """A server restored from the state of another gives the same answers, and decides on from there."""
    first = ServerCore()
    for request_id in ("a", "b"):
        report, _ = first.handle(a_request(request_id), NOW)
        assert isinstance(report, Report)
        first.handle(Recorded(recorded(report)), NOW)
    second = ServerCore()
    second.handle(Restored(first.state()), NOW)
    for request_id, quantity in (("a", 1), ("b", 2), ("c", 3)):
        answer = second.handle(a_request(request_id), NOW)[-1]
        assert isinstance(answer, Answer)
        assert answer.body == ExitTaken(request_id, Decimal(quantity))


def test_decision_is_forgotten_that_was_not_recorded() -> None:
    """A decision counts from when it is durable: before that the same request is decided anew, and to the same."""
    server = ServerCore()
    once, again = server.handle(a_request("a"), NOW), server.handle(a_request("a"), NOW)
    assert [type(effect) for effect in once] == [type(effect) for effect in again] == [Report, Answer]
