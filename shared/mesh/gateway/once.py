"""One attempt, one request: what is noted of it on its way through the HTTP library.

aiohttp sends again by itself what it holds to be harmless, and follows wherever a redirect leads; ccxt parses what came
before anybody has seen it. Each attempt has its own note, found by the context it is made in.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from aiohttp import ClientConnectorError, ClientError, ClientRequest, ClientResponse

from shared.mesh.gateway.reply import Reply

NOTHING_TO_PARSE: Final = "{}"


class SentAlreadyError(Exception):
    """The HTTP library was about to send a request for the second time."""


@dataclass(slots=True)
class Attempt:
    """What is known of a request so far."""

    is_sent: bool = False
    has_never_left: bool = False
    failure: str = ""
    reply: Reply | None = None


ATTEMPT: Final[ContextVar[Attempt]] = ContextVar("attempt")


async def sent_once(
    request: ClientRequest, send: Callable[[ClientRequest], Awaitable[ClientResponse]]
) -> ClientResponse:
    """Let a request of ours pass for the first time only."""
    attempt = ATTEMPT.get(None)
    if attempt is None:
        return await send(request)
    if attempt.is_sent:
        attempt.failure = attempt.failure or "it was sent on to elsewhere, and not followed"
        raise SentAlreadyError
    attempt.is_sent = True
    try:
        return await send(request)
    except (ClientError, OSError) as error:
        attempt.failure = f"{type(error).__name__}: {error}"
        attempt.has_never_left = isinstance(error, ClientConnectorError)  # there was no connection to send it over
        raise


def note_reply(
    status: int,
    _reason: str,
    _url: str,
    _method: str,
    headers: Mapping[str, str],
    body: str,
    _sent_headers: object,
    _sent_body: object,
) -> str:
    """Note what came, and leave nothing for ccxt to make something of. It is ccxt's hook for that."""
    ATTEMPT.get().reply = Reply(status, {name.lower(): value for name, value in headers.items()}, body)
    return NOTHING_TO_PARSE
