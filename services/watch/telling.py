"""Lines for other programs, for as long as they are read."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.watch.asking import Given, Inquiry, NotGiven
from services.watch.picture.concerns import concerns_of
from services.watch.picture.lines import HEADING, json_line, json_trouble, plain_lines, plain_trouble
from shared.mesh.clock import Clock
from shared.mesh.verb import FAILED, NOT_WELL, OK, Streams


@dataclass(frozen=True, slots=True)
class Manner:
    """How an answer is told, and how that there is none."""

    heading: Sequence[str]
    given: Callable[[Given], Sequence[str]]
    not_given: Callable[[NotGiven, int], str]


PLAIN = Manner(
    [HEADING],
    lambda answer: list(plain_lines(answer.measures)),
    lambda answer, now_wall_ns: plain_trouble(answer.trouble, now_wall_ns),
)
JSON = Manner(
    [],
    lambda answer: [json_line(answer.measures, answer.hops)],
    lambda answer, now_wall_ns: json_trouble(answer.trouble, now_wall_ns),
)


def code_of(answer: Given | NotGiven) -> int:
    """Return the exit code for one answer, as `bowline status` has it."""
    if isinstance(answer, NotGiven):
        return FAILED
    return NOT_WELL if any(concerns_of(answer.measures)) else OK


async def tell_forever(manner: Manner, inquiry: Inquiry, clock: Clock, streams: Streams, *, every_s: float) -> None:
    """Tell each answer, until nobody reads them."""
    streams.say(*manner.heading)
    while True:
        pause = asyncio.create_task(asyncio.sleep(every_s))
        tell(manner, await inquiry.ask(), clock, streams)
        await pause


def tell(manner: Manner, answer: Given | NotGiven, clock: Clock, streams: Streams) -> None:
    """Tell one answer."""
    if isinstance(answer, Given):
        streams.say(*manner.given(answer))
    else:
        streams.say(manner.not_given(answer, clock.wall_ns()))
