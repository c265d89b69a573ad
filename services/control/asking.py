"""Asks processes to do something, as the operator, and says what each answered."""

import asyncio
import os
import pwd
from collections.abc import Sequence
from typing import Final

from proto.codec import EnvelopeCodec
from proto.control import ControlDone, ControlRefused, PauseEntries, ResumeEntries
from proto.streams import RequestRefused
from shared.mesh.bus.hub import Hub
from shared.mesh.bus.requests import Requester, RequestTimedOutError
from shared.mesh.bus.sender import Sender
from shared.mesh.clock import Clock, SystemClock
from shared.mesh.operator import OPERATOR, operator_hub
from shared.mesh.settings import Configuration
from shared.mesh.verb import FAILED, OK, NotDoneError, Streams

CONTROL: Final = "control"
_EPOCH: Final = 1  # whoever has no seat has no other

Act = PauseEntries | ResumeEntries


def actor() -> str:
    """Return who acts: the user whose shell it is."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name[:48] or OPERATOR
    except KeyError:  # in a container nobody may have written down who runs it
        return f"uid-{os.getuid()}"


def ask_each(configuration: Configuration, instances: Sequence[str], act: Act, streams: Streams) -> int:
    """Ask each process, and say what it answered; it is well when one of them did something and all answered."""
    keys = configuration.keys_directory
    if not keys.is_dir():  # and this verb makes nothing
        raise NotDoneError(f"there are no keys in {keys}, so no mesh has run here: `bowline up`")
    return asyncio.run(_ask_each(configuration, instances, act, streams))


async def _ask_each(configuration: Configuration, instances: Sequence[str], act: Act, streams: Streams) -> int:
    clock = SystemClock()
    with operator_hub(configuration) as hub:
        answers = await asyncio.gather(*(_answer(hub, clock, instance, act) for instance in instances))
    for instance, answer in zip(instances, answers, strict=True):
        match answer:
            case ControlDone(summary=summary):
                streams.say(f"{instance}: {summary}")
            case ControlRefused(reason=reason) | RequestRefused(reason=reason):
                streams.say(f"{instance}: nothing is done, {reason}")
            case _:
                streams.errors.write(f"{instance} does not answer: `bowline status` says how it is; then ask again\n")
    is_done = any(isinstance(answer, ControlDone) for answer in answers)
    return OK if is_done and None not in answers else FAILED


async def _answer(
    hub: Hub, clock: Clock, instance: str, act: Act
) -> ControlDone | ControlRefused | RequestRefused | None:
    sender = Sender(instance=OPERATOR, epoch=_EPOCH, clock=clock)
    requester = Requester(hub=hub, instance=instance, name=CONTROL, sender=sender, clock=clock, codec=EnvelopeCodec())
    try:
        # A request that is said twice under one id is one: no other run of a verb may ask under ours.
        answer = await requester.ask(act, message_id=f"control-{os.getpid()}-{clock.boot_ns()}")
    except RequestTimedOutError:
        return None
    body = answer.envelope.body
    return body if isinstance(body, ControlDone | ControlRefused | RequestRefused) else None
