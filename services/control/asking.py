"""Asks processes to do something, as the operator, and says what each answered."""

import asyncio
import os
import pwd
from collections.abc import Mapping, Sequence
from typing import Final

from proto.codec import EnvelopeCodec
from proto.control import (
    AskClearKill,
    AskLimits,
    ClearKillOffered,
    ConfirmClearKill,
    ControlDone,
    ControlRefused,
    Flatten,
    Kill,
    LimitsAnswered,
    PauseEntries,
    ResumeEntries,
)
from proto.streams import RequestRefused
from shared.core.room import HAS_ROOM
from shared.mesh.bus.hub import Hub
from shared.mesh.bus.requests import Requester, RequestTimedOutError
from shared.mesh.bus.sender import Sender
from shared.mesh.clock import Clock, SystemClock
from shared.mesh.operator import OPERATOR, operator_hub
from shared.mesh.settings import Configuration
from shared.mesh.verb import FAILED, OK, NotDoneError, Streams

CONTROL: Final = "control"
SILENT: Final = "does not answer: `bowline status` says how it is"
_EPOCH: Final = 1  # whoever has no seat has no other

Act = PauseEntries | ResumeEntries | Kill | AskClearKill | ConfirmClearKill | Flatten | AskLimits
Reply = ControlDone | ControlRefused | RequestRefused | ClearKillOffered | LimitsAnswered


def actor() -> str:
    """Return who acts: the user whose shell it is."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name[:48] or OPERATOR
    except KeyError:  # in a container nobody may have written down who runs it
        return f"uid-{os.getuid()}"


def ask_each(
    configuration: Configuration,
    instances: Sequence[str],
    act: Act,
    streams: Streams,
    *,
    deputies: Mapping[str, str],
) -> int:
    """Ask each process, and say what it answered; it is well when one of them did something and all answered.

    For one that is silent its deputy may do it. What that does not do is to be asked again.
    """
    replies = dict(zip(instances, replies_of(configuration, instances, act), strict=True))
    for instance, reply in replies.items():
        if reply is not None:
            streams.say(f"{instance}: {words_of(reply)}")
            continue
        deputy = deputies.get(instance)
        [instead] = [None] if deputy is None else replies_of(configuration, [deputy], act)
        if isinstance(instead, ControlDone):
            replies[instance] = instead
            streams.say(f"{deputy}, for {instance}: {words_of(instead)}")
            continue
        streams.complain(f"{instance} {SILENT}; then ask again")
        if instead is not None:
            streams.complain(f"{deputy}: {words_of(instead)}")
    is_done = any(isinstance(reply, ControlDone) for reply in replies.values())
    return OK if is_done and None not in replies.values() else FAILED


def replies_of(configuration: Configuration, instances: Sequence[str], act: Act) -> Sequence[Reply | None]:
    """Ask each process, and return what it answered, None for one that does not."""
    keys = configuration.keys_directory
    if not keys.is_dir():  # and this verb makes nothing
        raise NotDoneError(f"there are no keys in {keys}, so no mesh has run here: `bowline up`")
    return asyncio.run(_ask_each(configuration, instances, act))


def words_of(reply: Reply) -> str:
    """Return an answer as people read it."""
    match reply:
        case ControlDone(summary=summary) | ClearKillOffered(summary=summary):
            return summary
        case ControlRefused(rule=rule, reason=reason) if rule == HAS_ROOM:  # which says itself what is done
            return reason
        case ControlRefused(reason=reason) | RequestRefused(reason=reason):
            return f"nothing is done, {reason}"
        case LimitsAnswered(limits=limits):
            return f"{len(limits)} limits"


async def _ask_each(configuration: Configuration, instances: Sequence[str], act: Act) -> Sequence[Reply | None]:
    clock = SystemClock()
    with operator_hub(configuration) as hub:
        return await asyncio.gather(*(_reply(hub, clock, instance, act) for instance in instances))


async def _reply(hub: Hub, clock: Clock, instance: str, act: Act) -> Reply | None:
    if not hub.knows(instance):  # without a key of it nobody can be it
        return None
    sender = Sender(instance=OPERATOR, epoch=_EPOCH, clock=clock)
    requester = Requester(hub=hub, instance=instance, name=CONTROL, sender=sender, clock=clock, codec=EnvelopeCodec())
    try:
        # A request that is said twice under one id is one: no other run of a verb may ask under ours.
        answer = await requester.ask(act, message_id=f"control-{os.getpid()}-{clock.boot_ns()}")
    except RequestTimedOutError:
        return None
    body = answer.envelope.body
    return body if isinstance(body, Reply) else None
