"""Alerts on their way to somebody's webhook, a real server that takes, refuses, is slow or dead."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random
from typing import Final

import msgspec
import pytest
from pydantic import SecretStr

from proto.health import Heartbeat
from proto.risk import Anchor
from proto.verdicts import Alerted, KillCleared
from services.metrics.core.alerts import AGE_NS_MAX, RECORDS_BACK
from services.metrics.core.vocabulary import AlertLost, PostAlert, WebhookChanged
from services.metrics.webhook import REFUSALS_MAX, WAITING_MAX, Patience, Webhook
from shared.core.service import Follow, FromOutside, Heard, Note, Told
from tests.proto.examples import BODIES, DIGEST
from tests.services.metrics.gathering import NOON_NS, Gathering, full
from tests.services.metrics.metrics_project import PATIENCE_S, MetricsProject, eventually
from tests.services.metrics.reader import PATH, Reader

BRISK: Final = Patience(answer_seconds=PATIENCE_S, pause_first_seconds=0.001, pause_longest_seconds=0.01)
IMPATIENT: Final = replace(BRISK, answer_seconds=0.2)
UNANSWERED: Final = "no answer within 0.2 s"


@pytest.fixture
def reader() -> Iterator[Reader]:
    """Return a webhook where nobody listens yet."""
    with Reader() as reader:
        yield reader


class Posting:
    """A webhook at work, and what was told of it."""

    def __init__(self, address: str, patience: Patience) -> None:
        self.told: Final[list[FromOutside]] = []
        self.webhook: Final = Webhook(
            SecretStr(address),
            tell=self.told.append,
            random=Random(7),  # noqa: S311 -- a test's
            patience=patience,
        )

    def offer(self, *numbers: int) -> None:
        """Offer alerts."""
        for number in numbers:
            self.webhook.offer(PostAlert(f"risk-1-{number}", "warning", f"name-{number}", "so it is", NOON_NS))

    async def until(self, holds: Callable[[], object]) -> None:
        """Let it work until something holds."""
        async with asyncio.timeout(PATIENCE_S):
            while not holds():  # noqa: ASYNC110 -- it is another thread that it waits for
                await asyncio.sleep(0.005)


@asynccontextmanager
async def posting(reader: Reader, patience: Patience = BRISK) -> AsyncIterator[Posting]:
    """Give one at work, which ends with the test; what it told holds nothing of the address."""
    at_work = Posting(reader.address, patience)
    task = asyncio.ensure_future(at_work.webhook.post_for_ever())
    try:
        yield at_work
        assert not task.done(), "whatever the reader does, it goes on"
        assert "CANARY" not in repr(at_work.told)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def ids(reader: Reader) -> list[str]:
    """Return which alerts were taken."""
    return [one["id"] for one in reader.taken]


async def test_what_is_posted(reader: Reader) -> None:
    """A JSON object each, in order, to the whole address."""
    reader.listen()
    async with posting(reader) as at_work:
        at_work.offer(1, 2)
        await at_work.until(lambda: len(reader.taken) == 2)
        assert not at_work.told
    assert reader.taken[0] == {
        "id": "risk-1-1",
        "level": "warning",
        "name": "name-1",
        "text": "so it is",
        "at": "2026-09-21T14:13:20.000+00:00",
        "path": PATH,
    }
    assert ids(reader) == ["risk-1-1", "risk-1-2"]


async def test_who_is_dead_gets_all_of_it_later(reader: Reader) -> None:
    """While nobody listens alerts wait; that is told once, and so is the end of it."""
    async with posting(reader) as at_work:
        at_work.offer(1, 2)
        await at_work.until(lambda: at_work.told)
        reader.listen()
        await at_work.until(lambda: len(reader.taken) == 2)
        trouble, end = at_work.told
        assert isinstance(trouble, WebhookChanged)
        assert (trouble.trouble or "").startswith("it cannot be reached (")
        assert end == WebhookChanged(None)


@pytest.mark.parametrize("answer", [503, 429])
async def test_who_is_busy_is_asked_again(reader: Reader, answer: int) -> None:
    """As often as it takes: whoever is in trouble himself has refused nothing."""
    reader.answers[:] = [answer] * (REFUSALS_MAX + 1)
    reader.listen()
    async with posting(reader) as at_work:
        at_work.offer(1)
        await at_work.until(lambda: len(at_work.told) == 2)  # it hears the answer after the reader has given it
        assert at_work.told == [WebhookChanged(f"it answers {answer}"), WebhookChanged(None)]
    assert (ids(reader), reader.asked) == (["risk-1-1"], REFUSALS_MAX + 2)


async def test_who_is_slow_is_asked_again(reader: Reader) -> None:
    """Nor has he; what he takes too late, as on a busy machine, comes once more under its id."""
    reader.answers[:] = [None] * (REFUSALS_MAX + 1)
    reader.listen()
    async with posting(reader, IMPATIENT) as at_work:
        at_work.offer(1)
        await at_work.until(lambda: len(at_work.told) == 2)
        assert at_work.told == [WebhookChanged(UNANSWERED), WebhookChanged(None)]
    assert set(ids(reader)) == {"risk-1-1"}
    assert reader.asked >= REFUSALS_MAX + 2


@pytest.mark.parametrize("answer", [400, 404, 302])
async def test_what_is_refused_is_in_nobodys_way(reader: Reader, answer: int) -> None:
    """After a few attempts it is lost, which is told, and the next one goes; nothing is sent on to somewhere else."""
    reader.answers[:] = [answer] * REFUSALS_MAX
    reader.listen()
    async with posting(reader) as at_work:
        at_work.offer(1, 2)
        await at_work.until(lambda: reader.taken)
        assert AlertLost("risk-1-1", "name-1", f"it answers {answer}") in at_work.told
    assert ids(reader) == ["risk-1-2"]
    assert [one["path"] for one in reader.taken] == [PATH]


async def test_so_many_wait_and_no_more(reader: Reader) -> None:
    """The oldest makes room, and is told to be lost; offering never waits."""
    async with posting(reader) as at_work:
        at_work.offer(*range(WAITING_MAX + 2))
        lost = [one for one in at_work.told if isinstance(one, AlertLost)]
        assert lost == [AlertLost(f"risk-1-{n}", f"name-{n}", f"{WAITING_MAX} younger ones wait") for n in (0, 1)]
        reader.listen()
        await at_work.until(lambda: len(reader.taken) == WAITING_MAX)
    assert ids(reader) == [f"risk-1-{number}" for number in range(2, WAITING_MAX + 2)]


def a_beat_of_risk(last: int) -> Heartbeat:
    """Return a heartbeat that says how far risk's journal goes."""
    beat = next(body for body in BODIES if isinstance(body, Heartbeat))
    return msgspec.structs.replace(beat, anchor=Anchor(last, DIGEST))


def test_risk_is_followed_from_a_little_before_its_end() -> None:
    """With its first heartbeat, once, and only where somebody wants alerts."""
    gathering = Gathering(posts_alerts=True)
    beat = full("risk", a_beat_of_risk(RECORDS_BACK + 7), gathering.now, epoch=1, sequence=1)
    assert gathering.handle(Heard("feed", beat)) == ()
    assert gathering.handle(Heard("risk", beat)) == (Follow("risk", "verdicts", 7),)
    assert gathering.handle(Heard("risk", beat)) == ()
    assert Gathering().handle(Heard("risk", beat)) == ()


def test_alerts_are_posted_while_they_are_young() -> None:
    """Of what risk writes down those and nothing else; what is old was posted by an earlier life, or is no news."""
    gathering = Gathering(posts_alerts=True)
    alert = full("risk", Alerted("critical", "kill-latched", "by ada"), gathering.now, epoch=1, sequence=3)
    expected = PostAlert(alert.id, "critical", "kill-latched", "by ada", NOON_NS)
    assert gathering.handle(Told("risk", alert)) == (expected,)
    other = full("risk", KillCleared("kill-1", "ada", "quiet"), gathering.now, epoch=1, sequence=4)
    assert gathering.handle(Told("risk", other)) == ()
    gathering.wait(AGE_NS_MAX / 1e9)
    assert gathering.handle(Told("risk", alert)) == (expected,)
    gathering.wait(0.001)
    assert gathering.handle(Told("risk", alert)) == ()


def test_its_troubles_are_in_the_log() -> None:
    """What waits, what is lost, and when it goes on."""
    gathering = Gathering(posts_alerts=True)
    notes = [
        note
        for change in (
            WebhookChanged("it answers 503"),
            AlertLost("risk-1-1", "kill-latched", "why"),
            WebhookChanged(None),
        )
        for note in gathering.handle(change)
        if isinstance(note, Note)
    ]
    assert [note.level for note in notes] == ["warning", "warning", "info"]


def test_alerts_of_a_process_reach_the_webhook_of_another(reader: Reader) -> None:
    """From risk's journal over metrics to the server, over a restart of both, and nobody says the address."""
    reader.listen()
    with MetricsProject() as project:
        project.start("metrics", REDIS_URL="off", ALERTS_WEBHOOK=reader.address)
        alarm = project.start("alarm")
        eventually(lambda: len(reader.taken) == 1)
        alarm.send_signal(signal.SIGTERM)
        assert alarm.wait(PATIENCE_S) == 0, project.log("alarm")
        project.start("alarm")
        eventually(lambda: len(reader.taken) == 3)
        assert [one["text"] for one in reader.taken] == ["it began", "it ends", "it began"]
        assert "CANARY" not in project.log("metrics")


@pytest.mark.parametrize("said", ["ftp://somewhere", "https://", "http://host:port/", "CANARY"])
def test_what_is_no_address_ends_metrics(said: str) -> None:
    """With one sentence, which does not repeat it."""
    with MetricsProject() as project:
        metrics = project.start("metrics", ALERTS_WEBHOOK=said)
        assert metrics.wait(PATIENCE_S) != 0
        assert "ALERTS_WEBHOOK is no address of a webhook" in project.log("metrics")
        assert "CANARY" not in project.log("metrics")
