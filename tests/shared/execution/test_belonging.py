"""Books of another account: nothing is done with them, whatever is asked or told, and they are kept as they are."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec
import pytest

from proto.control import ControlRefused, Flatten, Kill, LiftKill, PauseEntries, ResumeEntries
from proto.envelope import Body
from proto.intents import ExitRefused
from proto.risk import Everything, Latch
from proto.verdicts import ApprovalDeclined, ApprovalTaken
from shared.core.service import BeWary, HaltSeen, Note, Recorded, RecordsLost, Restored, Started, Stop, StopAsked
from shared.execution.belonging import RULE
from shared.execution.core import ExecutorCore
from shared.execution.vocabulary import InstrumentsKnown, OrderTold, ReadOpenOrders, StreamOpened, VenueClock
from shared.mesh.settings import load_configuration
from shared.mesh.trading_account import account_of
from tests.shared.execution.adopters import Life, a_past, adopted, in_our_name, inherited
from tests.shared.execution.desk import ACCOUNT, AHEAD_NS, BTC, LIMITS, Desk, an_instrument, of
from tests.shared.mesh.settings.projects import a_project, with_secrets

REAL: Final = replace(ACCOUNT, name="sim/official/main")
TRIP: Final = Latch("trip-1", "risk", "the day's loss", 6)
REQUESTS: Final[tuple[Body, ...]] = (
    Kill("ada", "it looks wrong"),
    LiftKill("risk", "looked at it", TRIP.latch_id),
    Flatten("ada", "enough", None),
    PauseEntries("ada", "lunch", Everything()),
    ResumeEntries("ada", "back", Everything()),
)


def demo() -> Desk:
    """Return a desk that has bought a coin at the simulated exchange, covered it, and stands under a kill latch."""
    desk = Desk().open()
    desk.entered()
    desk.take(HaltSeen(TRIP))
    return desk


def at_the_real_one(state: bytes) -> Desk:
    """Return the next life, with the settings of another account, told of everything that lets one begin."""
    desk = Desk(account=REAL)
    desk.epoch = 2
    desk.take(Restored(state))
    desk.take(Started("executor", 2, 0, ()))
    desk.take(InstrumentsKnown({BTC: an_instrument()}))
    desk.take(VenueClock(AHEAD_NS, 1_000_000))
    desk.take(StreamOpened())
    return desk


def test_nothing_is_done_with_books_of_another_account() -> None:
    """No stop, sale, cancellation, question, record: not at once, nor with the time, nor when the price falls."""
    old = demo()
    state = old.core.state()
    desk = at_the_real_one(state)
    stop = old.sent()[1]
    desk.take(HaltSeen(TRIP))
    desk.take(HaltSeen(None))
    desk.take(OrderTold(old.shown(stop, "canceled"), None))
    desk.quote("90", "90.02")
    for timer in ("clock", "lease", "adoption"):
        for _ in range(100):
            desk.wait(1, timer)
    (note, wary) = desk.effects
    assert isinstance(note, Note)
    assert note.level == "critical"
    assert isinstance(wary, BeWary)
    assert not desk.reports
    assert desk.core.state() == state


def test_it_is_said_what_to_do() -> None:
    """Both accounts are named as the settings name them, and both ways out."""
    (trouble,) = of(at_the_real_one(demo().core.state()).effects, BeWary)[0].troubles
    for word in (ACCOUNT.name, REAL.name, "paths.var_directory", "put the old settings back"):
        assert word in trouble


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda body: type(body).__name__)
def test_nobody_is_obeyed(request_: Body) -> None:
    """Each is told why; the latch of the old account stands as it stood."""
    desk = at_the_real_one(demo().core.state())
    answer = desk.ask(request_)
    assert isinstance(answer, ControlRefused)
    assert answer.rule == RULE
    assert desk.core.books.flattens.is_latched
    assert not desk.reports


def test_no_entry_and_no_exit_is_taken() -> None:
    """A strategy and risk are answered too."""
    desk = at_the_real_one(demo().core.state())
    declined = desk.ask(desk.approval("two"))
    assert isinstance(declined, ApprovalDeclined)
    assert declined.rule == RULE
    assert isinstance(desk.leave(), ExitRefused)


def test_it_ends_when_it_is_told_to() -> None:
    """There is nothing that it would have to finish."""
    desk = at_the_real_one(demo().core.state())
    assert of(desk.take(StopAsked()), Stop)


def test_with_the_old_settings_it_goes_on() -> None:
    """Also where a page was turned, or a tail lost, while the settings were others: that page is of the old one."""
    desk = at_the_real_one(demo().core.state())
    desk.take(RecordsLost(1_000, "a lost tail"))
    back = Desk()
    back.take(Restored(desk.core.state()))
    assert back.core.books.account == ACCOUNT.name
    assert back.core.books.positions.held()
    assert back.core.books.flattens.is_latched
    back.begin()
    assert of(back.take(StreamOpened()), ReadOpenOrders)


def test_what_stands_behind_the_page_is_kept_too() -> None:
    """A page that is turned under the new settings begins with all that the old ones led to."""
    old = demo()
    desk = Desk(account=REAL)
    desk.take(Restored(Desk().core.state()))
    for envelope in old.recorded:
        desk.take(Recorded(envelope))
    assert desk.core.state() == old.core.state()


def test_a_page_that_says_nothing_is_of_whoever_reads_it_first() -> None:
    """A journal from before this was known is nobody else's; from its next page on it is said."""
    known = msgspec.json.decode(demo().core.state())
    del known["account"]
    desk = at_the_real_one(msgspec.json.encode(known))
    assert desk.core.books.account == REAL.name
    assert of(desk.effects, ReadOpenOrders)
    back = Desk()
    back.take(Restored(desk.core.state()))
    assert isinstance(back.ask(back.approval("two")), ApprovalDeclined)


def test_the_first_page_says_it() -> None:
    """Before anything was recorded: a shell begins a journal with the state of a core that is new."""
    desk = at_the_real_one(ExecutorCore(ACCOUNT, LIMITS).state())
    assert isinstance(desk.ask(desk.approval()), ApprovalDeclined)
    own = Desk()
    own.take(Restored(ExecutorCore(ACCOUNT, LIMITS).state()))
    assert isinstance(own.open().ask(own.approval()), ApprovalTaken)


def test_what_was_done_in_its_name_is_kept_with_the_books() -> None:
    """It was done at the same account: so it is adopted, and then nothing is done."""
    executor, flattener = a_past()
    life = Life(executor, inherited(flattener), state=Life(executor, ()).core.state(), account=REAL).begin()
    assert [body for _, body in adopted(life)] == [one.body for one in in_our_name()]
    assert {type(effect) for effect in life.effects} == {Note, BeWary}


def test_a_key_is_no_part_of_an_account(tmp_path: Path) -> None:
    """Its venue, where that is and its name are: who changes only a key, sizes or symbols goes on with his books."""
    root = a_project(tmp_path)

    def named(**said: str) -> str:
        environment = {f"BOWLINE_{name.upper()}": text for name, text in said.items()}
        return account_of(load_configuration(root=root, environment=environment).settings).name

    shipped = named()
    with_secrets(root)
    assert named(venue__symbols="BTC/USDT", risk__profile="standard", sim_exchange__port="9090") == shipped
    others = {named(venue__url="official"), named(venue__account="second"), named(venue__url="http://127.0.0.1:9080")}
    assert len(others - {shipped}) == 3


def test_nothing_is_lost_on_the_way() -> None:
    """The demo did hold a coin, or nothing above would be shown."""
    (held,) = demo().core.books.positions.held()
    assert held.owned == Decimal(1)
