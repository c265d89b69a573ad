"""The role is taken, everything is closed, the role is given back: whatever dies in between, at whichever record."""

from decimal import Decimal

import msgspec
import pytest

from proto.control import ControlDone, ControlRefused
from proto.envelope import SCHEMA, Envelope
from proto.fencing import RoleReturned, RoleTaken
from proto.health import Heartbeat
from proto.orders import FlatnessTold, FlattenCalledOff, OrderFilled, SendMarked
from proto.risk import RiskSnapshot
from services.flattener.core.takeover import ASKED_MAX, ATTEMPTS_MAX
from services.flattener.vocabulary import (
    TakeRole,
)
from shared.core.service import (
    Ask,
    HaltSeen,
    Heard,
    Inherited,
    MakeHalt,
    Moment,
    Note,
    Publish,
    Recorded,
    Report,
    Started,
    Stop,
    StopAsked,
    WakeAt,
    Watch,
)
from shared.execution.adopting import AdoptingCore
from shared.execution.core import ExecutorCore
from tests.proto.examples import BODIES
from tests.services.flattener.life import LATCH, ROLE_EPOCH, STEP_NS, WITHIN_STEPS, Killed, Life, assert_closed
from tests.services.flattener.stand_in import BID
from tests.shared.execution.desk import A_DAY_NS, ACCOUNT, BTC, LIMITS, SECOND_NS

PLACES_MIN, PLACES_MAX = 10, 100  # at which a life may die


def adopted(life: Life) -> ExecutorCore:
    """Let the executor's next life begin with what the flattener wrote, and return it."""
    executor, moment = ExecutorCore(ACCOUNT, LIMITS), Moment(life.now_ns + A_DAY_NS, life.now_ns, "boot")
    core = AdoptingCore(executor)
    for record in life.executor:
        core.handle(record, moment)
    for envelope in life.own:
        core.handle(Inherited("flattener", envelope), moment)
    effects = list(core.handle(Started("executor", 99, 0, ()), moment))
    number = len(life.executor)
    while reports := [effect for effect in effects if isinstance(effect, Report)]:
        effects = []
        for report in reports:
            number += 1
            name = f"executor-99-reports-{number}"
            envelope = Envelope(
                SCHEMA, "executor", 99, number, name, report.cause_id or name, 1, "boot", life.now_ns, None, report.body
            )
            effects += core.handle(Recorded(envelope), moment)
    return executor


@pytest.fixture
def a_risk_snapshot() -> RiskSnapshot:
    """Return what risk may say."""
    return next(example for example in BODIES if isinstance(example, RiskSnapshot))


def test_sale_is_held_against_what_was_bid_and_not_against_what_was_paid() -> None:
    """It hears no feed, and reads the account long before it takes over; the coin was bought at 100."""
    life = Life()
    life.begin()
    life.take(HaltSeen(LATCH))
    life.run_until(RoleReturned)
    (sale,) = [one for one in life.bodies() if isinstance(one, SendMarked) and one.order.purpose == "exit"]
    (fill,) = [one for one in life.bodies() if isinstance(one, OrderFilled)]
    assert (sale.decision_price, fill.decision_price) == (BID, BID)


def test_under_the_latch_everything_is_closed_in_a_silent_executors_place() -> None:
    """Three seconds of silence, a look, the role, FLAT, the role given back; and then it only watches."""
    life = Life()
    life.begin()
    life.take(HaltSeen(LATCH))
    life.run_until(RoleReturned)
    assert_closed(life)
    taken = [body for body in life.bodies() if isinstance(body, RoleTaken)]
    assert [(one.instance, one.epoch) for one in taken] == [("executor", ROLE_EPOCH + 1)]
    written = len(life.own)
    life.run(60)
    assert len(life.own) == written


def test_what_it_lets_the_engine_do() -> None:
    """It asks nobody for a lease, reads no feed, and publishes nothing in the executor's name."""
    life = Life()
    life.begin()
    life.take(HaltSeen(LATCH))
    life.run_until(RoleReturned)
    assert not [effect for effect in life.effects if isinstance(effect, Ask | Watch | Publish | MakeHalt)]


def test_latch_that_only_risk_tells_of_is_one(a_risk_snapshot: RiskSnapshot) -> None:
    """Where the file could not be made, risk's word is enough; and the file is made from the journal then."""
    life = Life()
    life.begin()
    told = msgspec.structs.replace(a_risk_snapshot, permission="HALTED", latch_id=LATCH.latch_id)
    envelope = Envelope(SCHEMA, "risk", 1, 1, "risk-1", "risk-1", life.now_ns, "boot", life.now_ns, None, told)
    life.take(Heard("risk", envelope))
    life.run_until(RoleReturned)
    assert_closed(life)
    made = [effect.latch.latch_id for effect in life.effects if isinstance(effect, MakeHalt)]
    assert made[0] == LATCH.latch_id


def test_without_a_latch_covered_positions_are_left_alone() -> None:
    """The executor is dead for minutes: its stop rests at the venue, and nobody is needed."""
    life = Life()
    life.begin()
    life.run(120)
    assert life.bodies() == []
    assert len(life.venue.open_orders()) == 1


def test_without_a_latch_a_position_without_a_stop_is_closed() -> None:
    """Nobody would place one: fifteen seconds after its time to start is over, and without setting a latch."""
    life = Life(is_covered=False)
    life.begin()
    life.run(29)
    assert life.bodies() == []
    life.run_until(RoleReturned)
    assert_closed(life)
    assert not any(isinstance(effect, MakeHalt) for effect in life.effects)


def test_what_somebody_wants_closed_is_closed_without_a_latch() -> None:
    """Asked for a symbol it takes the role at once, answers when that stands in its journal, and sets no latch."""
    life = Life()
    life.begin()
    life.ask(BTC)
    (answer,) = life.answers
    assert isinstance(answer, ControlDone)
    life.run_until(RoleReturned)
    assert_closed(life)
    assert not any(isinstance(effect, MakeHalt) for effect in life.effects)


def test_who_resumes_while_it_holds_the_role_calls_off_what_it_closes() -> None:
    """What cannot be sold is to be kept: covered again, and nobody's role any more. Without the role it refuses."""
    life = Life()
    life.begin()
    life.venue.refuses = True
    life.ask(BTC)
    life.run(1)
    life.venue.refuses = False
    life.resume()
    assert isinstance(life.answers[-1], ControlDone)
    assert FlattenCalledOff in {type(body) for body in life.bodies()}
    life.run_until(RoleReturned)
    assert [order.quantity for order in life.venue.open_orders()] == [Decimal(1)]
    assert life.venue.balances["BTC"] == 1
    life.resume()
    assert isinstance(life.answers[-1], ControlRefused)


def test_whoever_asks_is_told_that_the_role_could_not_be_taken() -> None:
    """Where somebody else stands in the gate it is tried again, and then said."""
    life = Life()
    life.begin()
    life.is_fenced = False
    life.ask(BTC)
    assert life.answers == []
    life.run(1)
    (answer,) = life.answers
    assert isinstance(answer, ControlRefused)
    assert "the gate is held" in answer.reason


def test_whoever_asks_without_room_in_the_journal_is_told_so() -> None:
    """It is tried again when it looks, and not without end: after three times the answer is why."""
    life = Life()
    life.begin()
    life.has_room = False
    life.ask(BTC)
    assert life.answers == []
    life.run(5)
    (answer,) = life.answers
    assert isinstance(answer, ControlRefused)
    assert "the disk is full" in answer.reason
    assert sum(isinstance(effect, TakeRole) for effect in life.effects) == ATTEMPTS_MAX
    assert not life.holds


def test_no_more_than_a_few_may_wait_and_all_are_answered() -> None:
    """While the role cannot be had the seventeenth is refused at once, and the others when the flattener ends."""
    life = Life()
    life.begin()
    life.is_fenced = False
    for number in range(ASKED_MAX + 1):
        life.queue(life.asked(BTC, f"ask-{number}"))
    life.take(StopAsked())
    assert len(life.answers) == ASKED_MAX + 1
    assert all(isinstance(answer, ControlRefused) for answer in life.answers)
    assert isinstance(life.effects[-1], Stop)
    life.ask(BTC)
    assert isinstance(life.answers[-1], ControlRefused)


def test_a_venue_that_refuses_is_not_flat_and_the_role_is_given_back() -> None:
    """Nothing is given up, and nobody holds the role for ever: it is tried again, by whoever is there then."""
    life = Life()
    life.begin()
    life.venue.refuses = True
    life.take(HaltSeen(LATCH))
    life.run_until(RoleReturned)
    told = [body for body in life.bodies() if isinstance(body, FlatnessTold)]
    assert told
    assert not any(one.is_flat for one in told)
    life.venue.refuses = False
    life.run(40)
    assert_closed(life)


def without_success(life: Life) -> list[float]:
    """Return how long the role was left alone each time, in seconds, before it was taken again."""
    pauses, returned_ns = [], None
    for envelope in life.own:
        if isinstance(envelope.body, RoleReturned):
            returned_ns = envelope.sent_boot_ns
        elif isinstance(envelope.body, RoleTaken) and returned_ns is not None:
            pauses.append((envelope.sent_boot_ns - returned_ns) / SECOND_NS)
    return pauses


def refused_life(seconds: float) -> Life:
    """Return a life at a venue that refuses, after so long."""
    life = Life()
    life.begin()
    life.venue.refuses = True
    life.take(HaltSeen(LATCH))
    life.run(seconds)
    return life


def test_where_nothing_helps_it_is_tried_less_and_less_often() -> None:
    """Each time it waits twice as long, up to five minutes, and a person is not woken for each; then it is sold."""
    life = refused_life(1_400)
    assert without_success(life) == pytest.approx([15, 30, 60, 120, 240, 300], abs=0.5)
    told = [one.level for one in life.effects if isinstance(one, Note) and one.event.endswith("role is taken")]
    assert told == ["critical", *["warning"] * 6]
    life.venue.refuses = False
    life.run(400)
    assert_closed(life)


def heartbeat(life: Life) -> Heard:
    """Return how an executor is heard that begins, and moves."""
    beat = next(example for example in BODIES if isinstance(example, Heartbeat))
    moves = msgspec.structs.replace(beat, state="running", handled=life.now_ns)
    name = "executor-100-health-1"
    envelope = Envelope(SCHEMA, "executor", 100, 1, name, name, life.now_ns, "boot", life.now_ns, None, moves)
    return Heard("executor", envelope)


@pytest.mark.parametrize(
    ("what", "pause_s"), [("a new latch", 6), ("somebody asks", 0), ("the executor was there", 6), ("nothing", 60)]
)
def test_a_change_ends_the_pause(what: str, pause_s: float) -> None:
    """It is tried at once for who asks, otherwise once the executor is silent again; the next pause is a short one."""
    life = refused_life(5)
    while len(without_success(life)) < 2 or life.holds:
        life.run(1)
    match what:
        case "a new latch":
            life.take(HaltSeen(msgspec.structs.replace(LATCH, latch_id="kill-2")))
        case "somebody asks":
            life.ask(BTC)
        case "the executor was there":
            life.take(heartbeat(life))
        case _:
            pass
    life.run(300)
    later = without_success(life)[2:]
    expected = [60, 120] if what == "nothing" else [pause_s, 15, 30]
    assert later[: len(expected)] == pytest.approx(expected, abs=1.5)


def test_with_a_full_disk_the_role_is_given_back() -> None:
    """What cannot be written down is not done: nothing is sent, and it is tried again when there is room."""
    life = Life()
    life.begin()
    life.has_room = False
    life.take(HaltSeen(LATCH))
    life.run(10)
    assert life.bodies() == []
    assert life.venue.sent == []
    life.has_room = True
    life.run_until(RoleReturned)
    assert_closed(life)


def full_at_the_end() -> Life:
    """Return a life that wants to return the role, and finds no room to write that down."""
    life = Life()
    life.begin()
    life.take(HaltSeen(LATCH))
    for _ in range(WITHIN_STEPS):
        told = [body for body in life.bodies() if isinstance(body, FlatnessTold)]
        if told and told[-1].is_flat:
            break
        life.run(STEP_NS / SECOND_NS)
    assert not any(isinstance(body, RoleReturned) for body in life.bodies())
    life.has_room = False
    life.run(5)
    assert life.holds
    return life


def test_returned_role_is_written_down_before_it_is_given_back() -> None:
    """Whoever reads what we write believes that we hold it until then: it is tried until there is room."""
    life = full_at_the_end()
    life.has_room = True
    life.run(1)
    assert_closed(life)
    assert isinstance(life.bodies()[-1], RoleReturned)
    seen = len(life.effects)
    life.run(5)
    assert any(isinstance(effect, WakeAt) for effect in life.effects[seen:]), "its clock goes on"


def test_told_to_end_without_room_it_ends() -> None:
    """A flattener that is gone holds nothing, whatever it wrote."""
    life = full_at_the_end()
    life.take(StopAsked())
    life.run(1)
    assert not life.holds
    assert any(isinstance(effect, Stop) for effect in life.effects)


def test_latch_that_is_lifted_while_the_role_is_taken_leaves_nothing_to_do() -> None:
    """It is cleared at that very moment: nothing is closed, and seconds later the executor has its role again."""
    life = Life()
    life.begin()
    life.is_lifted = True
    life.take(HaltSeen(LATCH))
    life.run_until(RoleTaken)
    life.run(6)
    assert not life.holds
    assert life.venue.sent == []
    assert isinstance(life.bodies()[-1], RoleReturned)


def test_told_to_end_it_gives_the_role_back_first() -> None:
    """Whatever is left is the executor's again."""
    life = Life()
    life.begin()
    life.venue.refuses = True
    life.take(HaltSeen(LATCH))
    life.run_until(RoleTaken)
    life.take(StopAsked())
    life.run_until(RoleReturned)
    assert isinstance(life.effects[-1], Stop)


def test_killed_at_every_record_and_order_it_goes_on() -> None:
    """Each of its lives may die before a record or behind an order: the next one closes the rest, and sells once."""
    for place in range(PLACES_MAX):
        life = Life()
        life.begin()
        life.dies_in = place
        try:
            life.take(HaltSeen(LATCH))
            life.run_until(RoleReturned)
        except Killed:
            life.begin()
            life.take(HaltSeen(LATCH))
            life.run(20)
        assert_closed(life)
        books = adopted(life).books
        assert books.positions.held() == []
        assert books.working() == []
        assert books.ledger.balance("USDT") == Decimal(10_000)
        assert books.flattens.going[LATCH.latch_id].is_flat
        if life.dies_in is not None:  # it came to its end before that
            assert place > PLACES_MIN
            return
    raise AssertionError("it never came to its end")
