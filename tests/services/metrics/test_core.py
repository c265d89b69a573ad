"""What metrics listens to, what it knows of processes and hops, and what it says about its store."""

from decimal import Decimal
from typing import Literal

import pytest

from proto.codec import EnvelopeCodec
from proto.health import HOPS_MAX
from proto.measures import HOPS_TOGETHER_MAX, PROCESSES_MAX
from services.metrics.core.vocabulary import PageServed, StoreChanged
from shared.core.service import Listen, Note, Stalled, Stop, StopAsked, WakeAt, Watch, Woken
from tests.services.metrics.gathering import (
    SECOND_NS,
    Gathering,
    a_beat,
    a_hello,
    a_hop,
    full,
    hops,
    one_of,
)


def test_everybody_is_heard_and_feeds_are_watched() -> None:
    """Each instance's health, once, our own among them; of feeds also what they count and all that they publish."""
    gathering = Gathering("feed-2", "risk", "metrics", "feed", "risk")
    assert [effect for effect in gathering.began if not isinstance(effect, WakeAt)] == [
        *(Listen(instance, "health") for instance in ("feed", "feed-2", "metrics", "risk")),
        *(Listen(feed, "counts") for feed in ("feed", "feed-2")),
        *(Watch(feed, b"") for feed in ("feed", "feed-2")),
    ]


def test_measures_are_gathered_every_second() -> None:
    """Seconds follow each other without drifting, and those that were slept through are not made good."""
    gathering = Gathering()
    due = one_of(gathering.began, WakeAt)
    assert due.boot_ns == gathering.now.boot_ns + SECOND_NS
    gathering.wait(1.2)
    assert one_of(gathering.handle(Woken("gather")), WakeAt).boot_ns == due.boot_ns + SECOND_NS
    gathering.wait(30)
    assert one_of(gathering.handle(Woken("gather")), WakeAt).boot_ns == gathering.now.boot_ns


def test_process_is_what_it_says() -> None:
    """Its numbers are of its last heartbeat and greeting, its rates of the last few heartbeats."""
    gathering = Gathering()
    gathering.hear("risk", a_hello(), epoch=4)
    for beat in range(8):
        gathering.hear("risk", a_beat(beat * 50, cpu_time_ns=beat * 125_000_000, gap_ns=beat), epoch=4)
        gathering.wait(0.5)
    risk = gathering.process("risk")
    assert (risk.state, risk.epoch, risk.restarts, risk.process_id) == ("running", 4, 2, 4_711)
    assert (risk.handled_per_second, risk.cpu_percent) == (Decimal("100.0"), Decimal("25.0"))
    assert (risk.uptime_ns, risk.heartbeat_age_ns, risk.loop_gap_max_ns) == (4 * SECOND_NS, SECOND_NS // 2, 7)
    assert (risk.queued, risk.memory_bytes) == (3, 50_000_000)


def test_process_never_heard_is_silent_from_the_beginning() -> None:
    """There is a row for each key, and where nobody ever spoke it says so."""
    feed = Gathering().process("feed")
    assert (feed.state, feed.epoch, feed.heartbeat_age_ns, feed.uptime_ns) == ("silent", 0, None, 0)


def test_process_that_falls_silent_is_shown_so() -> None:
    """After a second and a half without a word it is silent: its age grows, and it does nothing any more."""
    gathering = Gathering()
    gathering.hear("risk", a_beat(1))
    gathering.wait(0.5)
    gathering.hear("risk", a_beat(100))
    gathering.wait(1.6)
    risk = gathering.process("risk")
    assert (risk.state, risk.handled_per_second, risk.heartbeat_age_ns) == ("silent", Decimal(0), 1_600_000_000)


def test_our_own_standstill_is_nobody_s_silence() -> None:
    """After we stood still the others have their second and a half anew."""
    gathering = Gathering()
    gathering.hear("risk", a_beat())
    gathering.wait(10)
    assert not gathering.handle(Stalled(10 * SECOND_NS))
    assert gathering.process("risk").state == "running"
    gathering.wait(1.6)
    assert gathering.process("risk").state == "silent"


def test_next_life_of_a_process_begins_anew() -> None:
    """With a higher epoch its past is gone; the last words of the one before it are not heard."""
    gathering = Gathering()
    gathering.hear("risk", a_hello(process_id=1))
    gathering.hear("risk", a_beat(1_000_000))
    gathering.wait(1)
    gathering.hear("risk", a_beat(1), epoch=2)
    gathering.hear("risk", a_beat(1_000_001), epoch=1)
    risk = gathering.process("risk")
    assert (risk.epoch, risk.process_id, risk.handled_per_second, risk.uptime_ns) == (2, 0, Decimal(0), 0)
    assert [one.handled for one in gathering.gathered().processes] == [1]


@pytest.mark.parametrize(("last_word", "state"), [("running", "crash loop"), ("draining", "running")])
def test_three_deaths_within_a_minute_are_a_crash_loop(last_word: Literal["running", "draining"], state: str) -> None:
    """Who begins anew without having said that it drains has died; three times within a minute is a crash loop."""
    gathering = Gathering()
    for epoch in range(1, 4):
        gathering.hear("risk", a_beat(), epoch=epoch)
        gathering.hear("risk", a_beat(state=last_word), epoch=epoch)
        gathering.wait(10)
    assert gathering.process("risk").state == "silent"
    gathering.hear("risk", a_beat(), epoch=4)
    assert gathering.process("risk").state == state
    for _ in range(5):
        gathering.wait(10)
        gathering.hear("risk", a_beat(), epoch=4)
    assert gathering.process("risk").state == "running"


def test_word_that_waited_is_as_old_as_it_says() -> None:
    """A heartbeat counts from when it was said; of another host's boot clock only that it came is known."""
    gathering = Gathering()
    gathering.hear("risk", a_beat(), said_ago_ns=SECOND_NS)
    assert gathering.process("risk").heartbeat_age_ns == SECOND_NS
    gathering.hear("feed", a_beat(), said_ago_ns=SECOND_NS, boot_id="another host")
    assert gathering.process("feed").heartbeat_age_ns == 0


def test_there_is_room_for_so_many_processes_and_no_more() -> None:
    """Beyond the bound instances are not heard, counted and said once; what is known fits into a message."""
    gathering = Gathering(*(f"strategy-{number}" for number in range(PROCESSES_MAX + 6)))
    assert len([effect for effect in gathering.began if isinstance(effect, Listen)]) == PROCESSES_MAX
    notes = [effect for _ in range(2) for effect in gathering.handle(Woken("gather")) if isinstance(effect, Note)]
    assert (len(notes), gathering.gathered().left_out["process"]) == (1, 6)


def test_hops_are_added_up_over_epochs() -> None:
    """Each word is about the time since the last one, so they add up, whoever says them; none is added twice."""
    gathering = Gathering()
    gathering.hear("risk", hops(a_hop(counts=(0, 3, 1), sum_ns=100)))
    gathering.hear("risk", hops(a_hop(counts=(1, 1), sum_ns=50)), epoch=2)
    gathering.hear("risk", hops(a_hop(counts=(9, 9), sum_ns=999)), epoch=1)
    (total,) = gathering.gathered().hops
    assert (total.instance, total.hop, total.sum_ns, total.negative) == ("risk", "feed.market", 150, 2)
    assert total.buckets[:4] == (1, 4, 1, 0)


def test_hops_are_given_as_heard_last() -> None:
    """The latest word of each process is given, until it has said nothing for three of its periods."""
    gathering = Gathering()
    gathering.hear("risk", hops(a_hop("feed.market"), a_hop("core")))
    gathering.wait(10)
    gathering.hear("feed", hops(a_hop("core")))
    gathering.hear("risk", hops(a_hop("core")))
    assert [(one.instance, one.latency.hop) for one in gathering.hops().hops] == [("feed", "core"), ("risk", "core")]
    gathering.wait(15)
    assert len(gathering.hops().hops) == 2
    gathering.wait(0.1)
    assert gathering.hops().hops == ()


def test_there_is_room_for_so_many_hops_and_no_more() -> None:
    """Seven full words are too many: the rest is counted, said once, and everything fits into a message."""
    gathering = Gathering(*(f"strategy-{number}" for number in range(7)))
    for number in range(7):
        gathering.hear(f"strategy-{number}", hops(*(a_hop(f"hop {hop}") for hop in range(HOPS_MAX))))
    given = gathering.hops()
    assert len(given.hops) == HOPS_TOGETHER_MAX
    assert gathering.gathered().left_out["hop"] == 7 * HOPS_MAX - HOPS_TOGETHER_MAX
    EnvelopeCodec().encode(full("metrics", given, gathering.now, epoch=1, sequence=1))


@pytest.mark.parametrize(("has_store", "state"), [(True, "connecting"), (False, "off")])
def test_store_is_what_was_asked_for(*, has_store: bool, state: str) -> None:
    """Without Redis the store is off, and with it there is hope."""
    assert Gathering(has_store=has_store).measures().store == state


def test_store_is_spoken_of_when_it_changes() -> None:
    """Down and up are said once each, whatever the reasons in between, which are told to whoever asks."""
    gathering = Gathering()
    changes = [("down", "a"), ("down", "b"), ("full", "c" * 80), ("up", None)]
    said = [gathering.handle(StoreChanged(state, reason)) for state, reason in changes]  # type: ignore[arg-type]  # as text
    assert [len(effects) for effects in said] == [1, 0, 1, 1]
    assert (gathering.measures().store, gathering.measures().store_reason) == ("up", None)
    gathering.handle(StoreChanged("full", "c" * 80))
    assert len(gathering.measures().store_reason or "") == 48


def test_address_is_said_and_an_end_is_an_end() -> None:
    """Where the page is goes into the log; nothing has to be finished before the end."""
    gathering = Gathering()
    assert one_of(gathering.handle(PageServed("http://x")), Note).details == {"address": "http://x"}
    assert gathering.handle(StopAsked()) == (Stop(),)
