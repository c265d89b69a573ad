"""What one service does when it is stopped, killed, told to end or robbed of its seat; no chance is involved."""

import asyncio
import signal
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Final

import pytest
import pytest_asyncio

from proto.intents import ExitTaken, SetExit
from proto.streams import RequestRefused
from shared.mesh.bus.requests import RequestTimedOutError
from shared.mesh.clock import SystemClock
from tests.chaos.mesh import journal_of
from tests.chaos.publisher import TOPICS
from tests.chaos.single import Operator, Singles, eventually_beside
from tests.chaos.testimony import Broke, Left, Line, Saw, Stood, Synced, Took
from tests.services.supervision.harness import eventually

STALE_NS_MAX: Final = 1_000_000_000
TAKE_OVER_NS_MAX: Final = 10_000_000_000  # the bench measures some milliseconds, and this machine may be busy


@pytest_asyncio.fixture
async def operator(singles: Singles) -> AsyncIterator[Operator]:
    """Return an operator of the mesh."""
    operator = Operator(singles.root)
    yield operator
    operator.close()


def an_exit(exit_id: str) -> SetExit:
    """Return a request for the executor."""
    return SetExit(exit_id=exit_id, strategy="trend", symbol="BTC/USDT", target_quantity=Decimal(0), reason="a test")


async def asked(operator: Operator, request_id: str) -> Decimal:
    """Ask until there is an answer, and return what was decided."""
    while True:
        try:
            answer = await operator.exits.ask(an_exit(request_id), message_id=request_id)
        except RequestTimedOutError:
            continue
        if isinstance(answer.envelope.body, ExitTaken):
            return answer.envelope.body.target_quantity
        assert isinstance(answer.envelope.body, RequestRefused)


async def test_server_that_stood_still_executes_nothing_expired(singles: Singles, operator: Operator) -> None:
    """A request that expired while the server was stopped is refused when it goes on, and never executed."""
    server = await asyncio.to_thread(singles.start("executor").await_seat)
    assert await asked(operator, "in-time") == 1
    server.signal(signal.SIGSTOP)
    with pytest.raises(RequestTimedOutError):
        await operator.exits.ask(an_exit("late"), message_id="late")
    server.signal(signal.SIGCONT)
    await eventually_beside(lambda: "stood still" in server.log)
    await eventually_beside(lambda: any(isinstance(line.said, Stood) for line in server.lines()))
    # What comes back to the late request comes to nobody; the one after it went the same way behind it.
    assert await asked(operator, "after") == 2
    assert operator.exits.refused["unasked"] >= 1
    assert [entry.request_id for entry in journal_of(singles.root)] == ["in-time", "after"]


async def test_answer_survives_the_server(singles: Singles, operator: Operator) -> None:
    """Asked again after kill -9, the server gives the answer its journal holds, and decides nothing twice."""
    server = await asyncio.to_thread(singles.start("executor").await_seat)
    first = [await asked(operator, f"request-{number}") for number in range(5)]
    server.signal(signal.SIGKILL)
    assert server.code() == -signal.SIGKILL
    await asyncio.to_thread(singles.start("executor").await_seat)
    again = [await asked(operator, f"request-{number}") for number in reversed(range(5))]
    assert first == again[::-1] == [1, 2, 3, 4, 5]
    assert len(journal_of(singles.root)) == 5


async def test_server_killed_in_the_middle_of_a_burst(singles: Singles, operator: Operator) -> None:
    """Of a burst of requests each is decided once, wherever in it the server was killed."""
    server = await asyncio.to_thread(singles.start("executor").await_seat)
    burst = [asyncio.create_task(asked(operator, f"request-{number}")) for number in range(200)]
    done, _ = await asyncio.wait(burst, return_when=asyncio.FIRST_COMPLETED)
    server.signal(signal.SIGKILL)
    assert done
    await asyncio.to_thread(singles.start("executor").await_seat)
    assert sorted(await asyncio.gather(*burst)) == list(range(1, 201))
    assert len({entry.request_id for entry in journal_of(singles.root)}) == len(journal_of(singles.root)) == 200


def test_subscriber_that_stood_still_shows_nothing_stale(singles: Singles) -> None:
    """After standing still a subscriber drops what waited and resyncs every topic; nothing it then shows is old."""
    singles.start("feed").await_seat()
    subscriber = singles.start("metrics").await_seat()
    eventually(lambda: sum(isinstance(line.said, Saw) for line in subscriber.lines()) > 100)
    subscriber.signal(signal.SIGSTOP)
    stopped_ns = SystemClock().boot_ns()
    eventually(lambda: SystemClock().boot_ns() - stopped_ns > 2 * STALE_NS_MAX)
    subscriber.signal(signal.SIGCONT)
    eventually(lambda: any(isinstance(line.said, Stood) for line in subscriber.lines()))
    said = [line.said for line in subscriber.lines()]
    behind = next(number for number, one in enumerate(said) if isinstance(one, Stood))
    eventually(lambda: sum(isinstance(line.said, Saw) for line in subscriber.lines()[behind:]) > 100)
    after = [line.said for line in subscriber.lines()[behind + 1 :]]
    assert {(one.topic, one.reason) for one in after[: len(TOPICS)] if isinstance(one, Broke)} == {
        (topic, "slept") for topic in TOPICS
    }
    assert isinstance(after[len(TOPICS)], Synced)
    assert max(one.age_ns for one in after if isinstance(one, Saw)) < STALE_NS_MAX


def test_orderly_stop_is_no_death(singles: Singles) -> None:
    """SIGTERM ends a service with code 0 and its last word, and four such restarts in a row are no crash loop."""
    for epoch in range(1, 6):
        service = singles.start("feed").await_seat()
        assert service.took() == Line(epoch, Took(service.process.pid, sole=True))
        service.signal(signal.SIGTERM)
        assert service.code() == 0, service.log
        assert isinstance(service.lines()[-1].said, Left)


def test_three_deaths_are_a_crash_loop_and_said(singles: Singles) -> None:
    """A service killed three times within a minute is told so at its next start."""
    for _ in range(3):
        service = singles.start("feed").await_seat()
        assert service.took().said == Took(service.process.pid, sole=True)
        service.signal(signal.SIGKILL)
        assert service.code() == -signal.SIGKILL
    said = singles.start("feed").await_seat().took().said
    assert isinstance(said, Took)
    assert said.troubles == ("crash loop: three deaths within a minute",)


def test_standby_takes_over_at_once(singles: Singles) -> None:
    """A second instance stands by and binds nothing; when the first is killed it has the seat within moments."""
    first = singles.start("executor").await_seat()
    second = singles.start("executor")
    second.await_log("standing by")
    assert second.process.poll() is None
    assert [line.epoch for line in second.lines()] == [1]
    first.signal(signal.SIGKILL)
    killed_ns = SystemClock().boot_ns()
    second.await_seat()
    assert SystemClock().boot_ns() - killed_ns < TAKE_OVER_NS_MAX
    assert second.took() == Line(2, Took(second.process.pid, sole=True))


def test_standby_ends_when_told(singles: Singles) -> None:
    """A process that stands by ends in order on SIGTERM, and the holder does not notice."""
    first = singles.start("feed").await_seat()
    second = singles.start("feed")
    second.await_log("standing by")
    second.signal(signal.SIGTERM)
    assert second.code() == 0, second.log
    first.signal(signal.SIGTERM)
    assert first.code() == 0
    assert [type(line.said) for line in first.lines()] == [Took, Left]


@pytest.mark.parametrize("instance", ["feed", "executor"])
def test_holder_whose_lock_file_is_gone_ends(singles: Singles, instance: str) -> None:
    """A service whose lock file was removed ends with code 75, so that no second one can be beside it for long."""
    service = singles.start(instance).await_seat()
    (singles.root / f"var/seats/{instance}.lock").unlink()
    assert service.code() == 75, service.log
    assert "the seat is lost" in service.log


def test_core_with_a_defect_ends_its_process(singles: Singles) -> None:
    """A core that raises ends its process with code 70, and the log says what it raised."""
    clumsy = singles.start("dashboard")
    assert clumsy.code() == 70, clumsy.log
    assert "a defect that was put here" in clumsy.log
