"""An approval's way: asked until it is taken or too late, and its reservation held until it is known to be over."""

from decimal import Decimal

from msgspec.structs import replace

from proto.streams import RequestRefused
from proto.verdicts import Approval, IntentApproved, ReservationFreed
from shared.core.service import JournalRoom, Moment, Unanswered
from shared.risk.book import NOTHING
from tests.services.risk_watchdog.bench import Bench, a_wish
from tests.services.risk_watchdog.surroundings import Scene


def freed(scene: Scene) -> list[tuple[str, Decimal, str]]:
    """Return what was freed so far."""
    return [(one.approval_id, one.filled_quantity, one.reason) for one in scene.bench.written(ReservationFreed)]


def quiet(scene: Scene, approval: Approval, count: int) -> None:
    """Let the executor not answer for some ticks, however often it is asked."""
    for _ in range(count):
        scene.bench.handle(Unanswered(approval.approval_id))
        scene.bench.tick()
        scene.executor.beats()


def test_approval_is_asked_again_until_it_is_taken(scene: Scene) -> None:
    """Nobody answers, so it is said again under its own id; once it is taken, no more."""
    approval = scene.bench.approved(a_wish())
    quiet(scene, approval, 3)
    assert scene.bench.asks() == [approval.approval_id] * 4
    scene.executor.takes(approval)
    scene.pass_time(1)
    assert scene.bench.asks() == [approval.approval_id] * 4
    assert not freed(scene)


def test_request_turned_away_is_asked_again(scene: Scene) -> None:
    """What the executor's bus refused was not looked at, and is asked again."""
    approval = scene.bench.approved(a_wish())
    scene.executor.answers(approval, RequestRefused("not_too_many_at_once", "1000 wait"))
    scene.bench.tick()
    assert scene.bench.asks() == [approval.approval_id] * 2


def test_nothing_is_asked_behind_its_time(scene: Scene) -> None:
    """After two seconds the executor may not begin any more, and is not asked to."""
    approval = scene.bench.approved(a_wish())
    quiet(scene, approval, 30)
    assert len(scene.bench.asks()) == 1 + 10


def test_approval_that_nobody_heard_is_freed_by_proof(scene: Scene) -> None:
    """It stays reserved until the executor has told everything up to a moment at which it was too late to begin."""
    bench, executor = scene.bench, scene.executor
    approval = bench.approved(a_wish())
    bench.wait(1.9)
    executor.beats()
    bench.wait(0.2)
    bench.tick()
    assert not freed(scene)
    executor.beats()
    bench.tick()
    assert freed(scene) == [(approval.approval_id, NOTHING, "it expired before the executor began with it")]
    assert bench.said().reserved_quote == 0


def test_approval_that_was_opened_is_not_freed_by_time(scene: Scene) -> None:
    """However long it is worked, and whether its taking was ever answered, it is freed by its end."""
    executor = scene.executor
    approval = scene.bench.approved(a_wish())
    executor.opens(approval)
    scene.pass_time(10)
    assert not freed(scene)
    executor.ends(approval, "2.5")
    assert freed(scene) == [(approval.approval_id, Decimal("2.5"), "its order has ended")]


def test_approval_that_is_declined_is_freed_with_the_next_heartbeat(scene: Scene) -> None:
    """The executor says why it does not work it, and that stands in our journal, and in the answer to the strategy."""
    approval = scene.bench.approved(a_wish())
    scene.executor.declines(approval)
    assert not freed(scene)
    scene.pass_time(0.4)
    ((approval_id, filled, reason),) = freed(scene)
    assert (approval_id, filled) == (approval.approval_id, NOTHING)
    assert reason == "the executor declined it by stream_is_open: it is lost"
    assert scene.bench.refusal(a_wish()).reason.endswith(reason)
    scene.pass_time(1)
    assert len(scene.bench.asks()) == 1


def test_declined_after_it_was_opened_is_not_over(scene: Scene) -> None:
    """Asked again by another life, the executor declines what it works already: its reservation stays with it."""
    executor = scene.executor
    approval = scene.bench.approved(a_wish())
    scene.bench.start()
    scene.bench.tick()
    executor.opens(approval)
    executor.declines(approval)
    assert not freed(scene)


def test_declined_after_it_has_ended_is_not_unworked(scene: Scene) -> None:
    """Asked again by another life the executor declines what it has worked: what was bought is told a moment later."""
    bench, executor = scene.bench, scene.executor
    approval = bench.approved(a_wish())
    bench.start(lives_ns=0)
    bench.tick()
    assert len(bench.asks()) == 2
    executor.declines(approval)
    bench.tick()
    assert not freed(scene)
    executor.opens(approval)
    executor.ends(approval, "2.5")
    assert freed(scene) == [(approval.approval_id, Decimal("2.5"), "its order has ended")]
    assert isinstance(bench.enter(a_wish()), IntentApproved)


def test_decline_says_nothing_of_an_end_that_waits_for_room(scene: Scene) -> None:
    """What was bought stays bought, though the record of it found no room before a late answer came."""
    bench, executor = scene.bench, scene.executor
    approval = bench.approved(a_wish())
    executor.opens(approval)
    bench.has_room = False
    executor.ends(approval, "1")
    executor.declines(approval)
    bench.has_room = True
    bench.handle(JournalRoom(for_everything=True))
    scene.pass_time(1)
    assert freed(scene) == [(approval.approval_id, Decimal(1), "its order has ended")]


def test_without_room_a_reservation_stays(scene: Scene) -> None:
    """What cannot be written down is not so: the reservation is freed when there is room."""
    bench, executor = scene.bench, scene.executor
    approval = bench.approved(a_wish())
    executor.opens(approval)
    bench.has_room = False
    executor.ends(approval, "1")
    scene.pass_time(3)
    assert (freed(scene), bench.said().reserved_quote) == ([], approval.reserved_quote)
    bench.has_room = True
    bench.handle(JournalRoom(for_everything=True))
    bench.tick()
    assert freed(scene) == [(approval.approval_id, Decimal(1), "its order has ended")]


def test_clock_goes_on_after_a_record_that_found_no_room(scene: Scene) -> None:
    """With the record nothing of that tick was done, not even the setting of the next one: it is set again."""
    bench = scene.bench
    bench.approved(a_wish())
    bench.has_room = False
    scene.pass_time(3)
    assert bench.said().permission == "REDUCE_ONLY"


def test_after_a_reboot_no_approval_is_in_time(scene: Scene) -> None:
    """Deadlines are of the boot they were given in: in the next one all are over, whatever the clock shows."""
    bench = scene.bench
    approval = bench.approved(a_wish())
    bench.now = Moment(bench.now.wall_ns, 1_000, "boot-2")
    bench.start()
    assert bench.refusal(a_wish()).rule == "approval_used_in_time"
    scene.pass_time(0.4)
    assert [one[0] for one in freed(scene)] == [approval.approval_id]
    assert len(bench.asks()) == 1


def test_entries_count_as_exposure(scene: Scene) -> None:
    """What is reserved counts as if it were held: for its symbol, for all symbols, and for the money that is free."""
    bench = scene.bench
    first = bench.approved(a_wish())
    second = bench.approved(a_wish(symbol="BTC/USDT"))
    third = bench.approved(a_wish(symbol="ETH/USDT"))
    said = bench.said()
    together = first.reserved_quote + second.reserved_quote + third.reserved_quote
    assert (said.exposure_quote, said.reserved_quote, said.entries_today) == (together, together, 3)
    assert bench.approved(a_wish(1)).quantity_max < first.quantity_max  # up to a tenth of equity in one symbol
    assert bench.refusal(a_wish(2, "ADA/USDT", strategy="other")).rule == "symbol_not_taken"


def test_position_takes_the_place_of_its_reservation(scene: Scene) -> None:
    """When its entry has ended, what was bought counts at the price of this moment, and not what was reserved."""
    bench, executor = scene.bench, scene.executor
    approval = bench.approved(a_wish())
    executor.opens(approval)
    executor.holds("ADA/USDT", "3")
    executor.ends(approval, "3")
    scene.feed.trusts(bid=109, ask=111)
    said = bench.said()
    assert (said.exposure_quote, said.reserved_quote) == (Decimal(330), NOTHING)
    executor.holds("ADA/USDT", "0", paid=None)
    assert bench.said().exposure_quote == 0


def test_money_that_was_spent_is_not_free_before_it_is_read() -> None:
    """A reading may have begun before the trade: only the second one after an entry's end is believed to show it."""
    scene = Scene(Bench())
    scene.begin(free="2600")  # 2000 stay, and so 600 may be spent
    bench, executor = scene.bench, scene.executor
    approval = bench.approved(a_wish())
    executor.opens(approval)
    executor.holds("ADA/USDT", str(approval.quantity_max))
    executor.ends(approval, str(approval.quantity_max))
    executor.reads(free="2600")
    limited = bench.approved(a_wish(symbol="BTC/USDT"))
    assert limited.reserved_quote < 600 - approval.reserved_quote
    executor.declines(limited)
    executor.reads(free="2600")
    assert bench.approved(a_wish(symbol="ETH/USDT")).reserved_quote == approval.reserved_quote


def test_position_without_a_price_counts_as_paid(scene: Scene) -> None:
    """A symbol that no feed reads is worth what was paid; where not even that is known nothing is approved."""
    bench, executor = scene.bench, scene.executor
    executor.holds("OLD/USDT", "2", paid="7")
    assert bench.said().exposure_quote == 14
    executor.holds("OLD/USDT", "2", paid=None)
    scene.speak()
    refusal = bench.refusal(a_wish())
    assert (refusal.rule, "OLD/USDT" in refusal.reason) == ("positions_are_known", True)


def test_entry_that_our_journal_has_lost_counts(scene: Scene) -> None:
    """What the executor works under an approval that we know nothing of is held against the limits all the same."""
    executor = scene.executor
    stranger = replace(scene.bench.approved(a_wish()), approval_id="entry-1-lost", symbol="BTC/USDT")
    executor.opens(stranger)
    assert scene.bench.said().reserved_quote == 2 * stranger.reserved_quote
    executor.ends(stranger)
    assert scene.bench.said().reserved_quote == stranger.reserved_quote
