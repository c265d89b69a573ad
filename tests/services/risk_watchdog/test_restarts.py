"""Whatever happened, the next life knows what this one did: its state is the fold of its records, and nothing else."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from proto.account import Balance
from proto.control import AskClearKill, ClearKillOffered, ConfirmClearKill, Kill, PauseEntries, ResumeEntries
from proto.envelope import Envelope
from proto.risk import Everything, Latch, OfStrategy, OfSymbol
from proto.verdicts import Approval, GuardTripped, IntentJudged, KillCleared, KillLatched, ReservationFreed
from shared.core.service import JournalRoom, ToldOfLoss, Unanswered
from tests.services.risk_watchdog.bare_position import passes, reads
from tests.services.risk_watchdog.bench import DAY_NS, SYMBOLS, Bench, a_wish
from tests.services.risk_watchdog.surroundings import COINS, Scene, a_flow, money
from tests.shared.risk.recomputed import expected

LOSSES: Final = 4
EQUITIES: Final = ("10000", "9700", "9000", "8000", "20000")
BOOKS: Final = ("as read", None, "10000")
FLOWS: Final = ("100", "-3000", "9000", "-1")
MONEY: Final = (4_000, 1_000, 100)
GUARDED: Final = ("flow", "find", "find", "day", "pass", "kill", "room", "clear", "lift")
Act = Callable[[Scene, int], object]
SCOPES: Final = (Everything(), OfSymbol("ADA/USDT"), OfStrategy("trend"))


def approvals(scene: Scene) -> list[Approval]:
    """Return every approval that was ever given."""
    return [judged.approval for judged in scene.bench.written(IntentJudged) if judged.approval is not None]


def with_one(act: Callable[[Scene, Approval], None]) -> Act:
    """Return the act done with one of the approvals, if there are any."""

    def done(scene: Scene, number: int) -> None:
        given_out = approvals(scene)
        if given_out:
            act(scene, given_out[number % len(given_out)])

    return done


def room(scene: Scene, number: int) -> None:
    """Let the disk be full, or have room again."""
    scene.bench.has_room = number % 3 != 0
    if scene.bench.has_room:
        scene.bench.handle(JournalRoom(for_everything=True))


def next_day(scene: Scene, number: int) -> None:
    """Let the venue's clock show another day, on one reading or on two."""
    for _ in range(1 + number % 2):
        scene.executor.reads(str(9_000 + number), venue_time_ns=scene.bench.now.wall_ns + number % 3 * DAY_NS)


def killed(scene: Scene, number: int) -> None:
    """Let risk be killed and begin again, from a state somewhere in its past; the executor's reports are read anew."""
    scene.bench.start(state_after=number % (len(scene.bench.records) + 1))
    scene.executor.tells_all_again()
    scene.speak()


def clear(scene: Scene, number: int) -> None:
    """Let somebody ask for a latch to be cleared, and confirm at once, or press the kill in between."""
    bench = scene.bench
    latches = [latched.latch.latch_id for latched in bench.written(KillLatched)][-2:] or ["kill-1"]
    answer = bench.ask(AskClearKill("ada", "it was me", latches[number % len(latches)]), ask_id=f"offer-{number}")
    if not isinstance(answer, ClearKillOffered):
        return
    if is_pressed_between := number % 5 == 0:
        bench.ask(Kill("ben", "no"), ask_id=f"kill-{number}")
    before = len(bench.written(KillCleared))
    bench.ask(ConfirmClearKill("ada", answer.latch_id, answer.offer_id), ask_id=f"confirm-{number}")
    if is_pressed_between:
        assert len(bench.written(KillCleared)) == before, "kill wins ties"


def halt(scene: Scene, number: int) -> None:
    """Let somebody make the HALT file, or remove it."""
    scene.bench.touch(Latch(f"halt-{number % 5}", "unknown", "by hand", 0) if number % 3 else None)


def latch_executor(scene: Scene, number: int) -> None:
    """Let the executor come under the newest latch, or one of its own."""
    known = [latched.latch for latched in scene.bench.written(KillLatched)][-1:]
    scene.executor.latches(known[0] if known and number % 3 else Latch(f"own-{number % 5}", "eve", "by hand", 0))


def lift(scene: Scene, _: int) -> None:
    """Let the executor lift what it was asked to lift, if it was."""
    if scene.executor.asked_to_lift():
        scene.executor.lifts()


def left_bare(scene: Scene, approval: Approval) -> None:
    """Let a position be bought and left without a stop, which two readings of the account bear out."""
    scene.executor.opens(approval)
    scene.executor.holds(approval.symbol, "2")
    scene.executor.ends(approval, "2")
    passes(scene, 15.5)
    coins = Balance(approval.symbol.split("/")[0], Decimal(2), Decimal(0))
    reads(scene, times=2, balances=(coins,))


ACTS: Final[dict[str, Act]] = {
    "ask": lambda scene, n: scene.bench.ask(a_wish(n % 7, SYMBOLS[n % 3]), ask_id=f"ask-{n}"),
    "wait": lambda scene, n: scene.bench.wait(n % 30 / 10),
    "pass": lambda scene, n: scene.pass_time(n % 10 / 10),
    "take": with_one(lambda scene, approval: scene.executor.takes(approval)),
    "decline": with_one(lambda scene, approval: scene.executor.declines(approval)),
    "unanswered": with_one(lambda scene, approval: scene.bench.handle(Unanswered(approval.approval_id))),
    "open": with_one(lambda scene, approval: scene.executor.opens(approval)),
    "end": with_one(lambda scene, approval: scene.executor.ends(approval, "0.5")),
    "end empty": with_one(lambda scene, approval: scene.executor.ends(approval)),
    "bare": with_one(left_bare),
    "hold": lambda scene, n: scene.executor.holds(SYMBOLS[n % 3], str(n % 4)),
    "day": next_day,
    "room": room,
    "pause": lambda scene, n: scene.bench.ask(PauseEntries("ada", "rain", SCOPES[n % 3]), instance="operator"),
    "resume": lambda scene, n: scene.bench.ask(ResumeEntries("ada", "sun", SCOPES[n % 3]), instance="operator"),
    "account": lambda scene, n: scene.account(*[EQUITIES[n % 5]] * (1 + n % 3), books=BOOKS[n % 7 % 3]),
    "find": lambda scene, n: scene.finds(money(MONEY[n % 3]), *COINS[n % 4 :], times=n % 20, books=BOOKS[n % 7 % 3]),
    "flow": lambda scene, n: scene.executor.tells(a_flow(n, FLOWS[n % 4])),
    "loss": lambda scene, n: scene.bench.handle(ToldOfLoss("executor", n % LOSSES)),
    "kill": killed,
}
LATCH_ACTS: Final[dict[str, Act]] = {
    "press": lambda scene, n: scene.bench.ask(Kill("ada", "it burns"), ask_id=f"kill-{n}"),
    "clear": clear,
    "halt": halt,
    "latch executor": latch_executor,
    "lift": lift,
}


@given(st.lists(st.tuples(st.sampled_from(sorted(ACTS)), st.integers(0, 1_000)), max_size=40), st.data())
def test_state_is_the_fold_of_the_records(acts: list[tuple[str, int]], data: st.DataObject) -> None:
    """From any state of the past and the records since, the next life has the same state, and allows the same."""
    scene = Scene(Bench())
    scene.begin()
    for name, number in acts:
        ACTS[name](scene, number)
    bench, before = scene.bench, scene.bench.core.state()
    found = set()
    for state_after in (0, data.draw(st.integers(0, len(bench.records))), len(bench.records)):
        bench.start(state_after=state_after)
        assert bench.core.state() == before
        for number in range(LOSSES):
            bench.handle(ToldOfLoss("executor", number))
        found.add(bench.lease().conditions)
    assert len(found) == 1
    assert_no_intent_was_judged_twice(bench.records)


@given(st.lists(st.tuples(st.sampled_from(sorted(ACTS | LATCH_ACTS)), st.integers(0, 1_000)), max_size=40), st.data())
def test_latch_is_the_fold_of_the_records(acts: list[tuple[str, int]], data: st.DataObject) -> None:
    """Whatever happens, nothing is approved under a latch; and the next life has the same one, and no file is lost."""
    scene = Scene(Bench())
    scene.begin()
    bench = scene.bench
    for name, number in acts:
        approved = len(approvals(scene))
        (ACTS | LATCH_ACTS)[name](scene, number)
        if bench.lease().latch is not None or bench.halt is not None or scene.executor.latch is not None:
            assert bench.lease().permission == "HALTED"
            assert len(approvals(scene)) == approved or name == "kill"
    standing = latch_of(bench.records)
    assert_nothing_approved_under_a_latch(bench.records)
    bench.has_room = True
    before = bench.core.state()
    lose_file(bench)
    bench.start(state_after=data.draw(st.integers(0, len(bench.records))))
    assert bench.core.state() == before
    found = bench.lease().latch
    assert (None if found is None else found.latch_id) == standing
    scene.pass_time(1.2)
    assert bench.halt is not None or standing is None


def lose_file(bench: Bench) -> None:
    """Let somebody remove the HALT file while risk is dead."""
    bench.halt = None


def latch_of(records: list[Envelope]) -> str | None:
    """Return the latch that stands by these records."""
    standing = None
    for record in records:
        match record.body:
            case KillLatched(latch=latch):
                standing = latch.latch_id
            case KillCleared(latch_id=latch_id):
                assert latch_id == standing, "what is cleared is what stands"
                standing = None
            case _:
                pass
    return standing


def assert_nothing_approved_under_a_latch(records: list[Envelope]) -> None:
    """By the journal alone."""
    for number, record in enumerate(records):
        if isinstance(record.body, IntentJudged) and record.body.approval is not None:
            assert latch_of(records[:number]) is None


def assert_no_intent_was_judged_twice(records: list[Envelope]) -> None:
    """One verdict for each intent, one approval of a name, and each is freed once at most."""
    judged = [record.body for record in records if isinstance(record.body, IntentJudged)]
    freed = [record.body.approval_id for record in records if isinstance(record.body, ReservationFreed)]
    intents = [one.intent.intent_id for one in judged]
    names = [one.approval.approval_id for one in judged if one.approval is not None]
    for ids in (intents, names, freed):
        assert len(ids) == len(set(ids))
    assert set(freed) <= set(names)


@given(st.lists(st.tuples(st.sampled_from(["ask", "open", "end", "end empty", "hold", "pass"]), st.integers(0, 1_000))))
def test_next_life_sees_the_same_exposure(acts: list[tuple[str, int]]) -> None:
    """With the executor's reports read anew, positions and reservations are worth what they were."""
    scene = Scene(Bench())
    scene.begin()
    for name, number in acts:
        ACTS[name](scene, number)
    scene.pass_time(3)  # by then what nobody began with is freed
    before = scene.bench.said()
    killed(scene, len(acts))
    after = scene.bench.said()
    assert (after.exposure_quote, after.reserved_quote) == (before.exposure_quote, before.reserved_quote)
    assert (after.entries_today, after.limits) == (before.entries_today, before.limits)


@given(st.lists(st.tuples(st.sampled_from([*["account"] * 4, *GUARDED]), st.integers(0, 1_000)), min_size=3))
def test_guards_trip_exactly_when_the_journal_says_so(acts: list[tuple[str, int]]) -> None:
    """Over all lives: each trip was due by the records before it, and in the end none is missing."""
    scene = Scene(Bench())
    scene.begin()
    scene.account("10000", "10000")
    for name, number in acts:
        (ACTS | LATCH_ACTS)[name](scene, number)
    room(scene, 1)
    for _ in range(2):
        scene.bench.tick()
    bodies = [record.body for record in scene.bench.records]
    for place, body in enumerate(bodies):
        if isinstance(body, GuardTripped):
            assert body.guard in expected(bodies[:place])
            assert KillLatched in map(type, bodies[place : place + 3])  # the other guard may trip with it
    assert expected(bodies) == set()
