"""Who follows which account. No clock and no socket of its own: the sockets subscribe their connections."""

from collections.abc import Sequence
from typing import Final

import msgspec

from services.sim_exchange.face.account_layout import account_events
from services.sim_exchange.face.connection import Connection
from services.sim_exchange.face.frames import text_frame
from services.sim_exchange.face.interference import Going, Interference, Outgoing
from services.sim_exchange.face.layout import Payload
from services.sim_exchange.venue.vocabulary import Event

SUBSCRIPTIONS_MAX: Final = 1_000  # that one connection may make in its life


class Subscriber:
    """A client of the WebSocket API, with the accounts it follows by the number of each subscription."""

    def __init__(self, connection: Connection) -> None:
        self.connection: Final = connection
        self.accounts: Final[dict[int, str]] = {}
        self.given = 0


class UserStreams:
    """The subscribers of every account."""

    def __init__(self, interference: Interference) -> None:
        self._interference: Final = interference
        self._subscribers: Final[dict[str, dict[tuple[Subscriber, int], None]]] = {}

    def subscribe(self, subscriber: Subscriber, account: str) -> int | None:
        """Let somebody follow an account and return the number of the subscription; None when these are too many."""
        if account in subscriber.accounts.values() or subscriber.given >= SUBSCRIPTIONS_MAX:
            return None
        number = subscriber.given
        subscriber.given += 1
        subscriber.accounts[number] = account
        self._subscribers.setdefault(account, {})[subscriber, number] = None
        return number

    def unsubscribe(self, subscriber: Subscriber, number: int) -> None:
        """Let somebody follow an account no longer."""
        account = subscriber.accounts.pop(number)
        del self._subscribers[account][subscriber, number]
        if not self._subscribers[account]:
            del self._subscribers[account]

    def is_followed(self, account: str) -> bool:
        """Say whether anybody follows an account."""
        return account in self._subscribers

    def take(self, events: Sequence[Event], now_ms: int) -> None:
        """Tell the owners of what happened, if the interference lets it through."""
        if self._subscribers:
            for account, payload in account_events(events, self._subscribers, now_ms):
                self.tell(account, payload)

    def tell(self, account: str, payload: Payload) -> None:
        """Tell an account something, if the interference lets it through."""
        for going in self._interference.told(Outgoing(account=account, payload=payload)):
            self.deliver(going)

    def deliver(self, going: Going) -> None:
        """Send an event to the subscribers of its account, or hang up on those whom that concerns."""
        if isinstance(going, Outgoing):
            self._send(going)
            return
        for account, subscribers in self._subscribers.items():
            if going.concerns("", account):
                for subscriber, _ in subscribers:
                    subscriber.connection.hang_up(going.code)

    def _send(self, outgoing: Outgoing) -> None:
        subscribers = self._subscribers.get(outgoing.account)
        if subscribers:
            raw = msgspec.json.encode(outgoing.payload)
            for subscriber, number in subscribers:
                subscriber.connection.send(text_frame(b'{"subscriptionId":%d,"event":%b}' % (number, raw)))

    def end(self, subscriber: Subscriber, number: int, now_ms: int) -> None:
        """End one subscription, and say so."""
        self.unsubscribe(subscriber, number)
        event = {"subscriptionId": number, "event": {"e": "eventStreamTerminated", "E": now_ms}}
        subscriber.connection.send(text_frame(msgspec.json.encode(event)))
