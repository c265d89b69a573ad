"""Where every request comes in, over REST and over the WebSocket API, and the order in which it is judged.

Weight, parameters, key, signature, time; then the interference; then time once more, since a request may have waited;
then it is carried out. What leaves is encoded, with the venue's headers.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import msgspec

from services.sim_exchange.face.endpoint import Asked, ClientIds, Endpoint, Venue
from services.sim_exchange.face.interference import Call, Interference, Reply
from services.sim_exchange.face.keys import ApiKey, KeyRing, check_permission, check_signature
from services.sim_exchange.face.parameters import INTEGER, WINDOW, Parameters
from services.sim_exchange.face.recv_window import RecvWindow
from services.sim_exchange.face.refusals import RefusalError
from services.sim_exchange.face.signing import SIGNATURE
from services.sim_exchange.face.weights import RequestWeights

OK: Final = 200


UNREAD: Final = "WS"  # what a message of a WebSocket is noticed as that was not read
SECRETS: Final = frozenset({SIGNATURE, "apiKey"})
NAME_CHARACTERS_MAX: Final = 200  # that are noticed of the name of what there is not
UNREAD_WEIGHT: Final = 1  # of a request in which there is no telling what it weighs


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request as whoever writes it down may see it: without its key and its signature."""

    called: str  # as in "POST /api/v3/order"; over a WebSocket the method, as in "order.place"
    sent: Mapping[str, str]  # nothing where it could not be read
    address: str


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it came: what it wants, who says to be asking, and the text that was signed."""

    endpoint: Endpoint
    called: str
    sent: Mapping[str, str]
    signed_text: str
    api_key: str
    address: str


Notice = Callable[[Request, str | None], None]


def unnoticed(request: Request, account: str | None) -> None:
    """Write nothing down: for whoever needs no log."""
    del request, account


class Door:
    """Lets requests in, has them answered, and counts them. Each is noticed as it comes, with whose key it shows."""

    def __init__(
        self,
        *,
        venue: Venue,
        keys: KeyRing,
        weights: RequestWeights,
        interference: Interference,
        on_request: Notice = unnoticed,
    ) -> None:
        self._venue: Final = venue
        self._on_request: Final = on_request
        self._keys: Final = keys
        self._weights: Final = weights
        self._interference: Final = interference
        self._client_ids: Final = ClientIds()

    def notice(
        self, called: str, address: str, *, sent: Mapping[str, str] = MappingProxyType({}), key: str = ""
    ) -> None:
        """Have a request written down, whatever becomes of it. One that gets an answer here is so by itself."""
        seen = {name: value for name, value in sent.items() if name not in SECRETS}
        request = Request(called=called[:NAME_CHARACTERS_MAX], sent=seen, address=address)
        self._on_request(request, self._keys.owner_of(key))

    def turn_away(self, called: str, address: str, refusal: RefusalError, *, key: str = "") -> Reply:
        """Answer a request that could not be read; that counts, too."""
        self.notice(called, address, key=key)
        headers = dict[str, str]()
        try:
            headers |= self._weights.charge(address, UNREAD_WEIGHT, self._venue.desk.clock())
        except RefusalError as too_many:
            refusal = too_many
        return refused(refusal, headers)

    async def answer(self, request: Incoming) -> Reply:
        """Answer a request; an interference may raise `HangUpError` instead."""
        self.notice(request.called, request.address, sent=request.sent, key=request.api_key)
        endpoint, headers = request.endpoint, dict[str, str]()
        parameters = Parameters(request.sent)
        clock = self._venue.desk.clock
        try:
            self._charge(request, parameters, headers)
            key, window = self._let_in(request, parameters)
        except RefusalError as refusal:
            return refused(refusal, headers)
        call = Call(
            endpoint=endpoint.name,
            called=request.called,
            address=request.address,
            account=None if key is None else key.account,
            symbol=request.sent.get("symbol"),
            sent=dict(request.sent),
        )
        instead = await self._interference.before(call)
        if instead is not None:
            return msgspec.structs.replace(instead, headers={**headers, **instead.headers})
        try:
            if window is not None:
                window.check_matching(clock())
            reply = await self._carried_out(endpoint, parameters, key, call, headers)
        except RefusalError as refusal:
            reply = refused(refusal, headers)
        return await self._interference.after(call, reply)

    def used_weight(self, address: str) -> int:
        """Return the weight that an address used in this minute."""
        return self._weights.used(address, self._venue.desk.clock())

    def _charge(self, request: Incoming, parameters: Parameters, headers: dict[str, str]) -> None:
        """Count a request by its weight; one that is too wrong to be weighed is counted before it is refused."""
        endpoint, wrong = request.endpoint, None
        try:
            weight = endpoint.weigh(parameters)
        except RefusalError as refusal:
            weight, wrong = UNREAD_WEIGHT, refusal
        headers |= self._weights.charge(request.address, weight, self._venue.desk.clock(), wallet=endpoint.is_wallet)
        if wrong is not None:
            raise wrong

    def _let_in(self, request: Incoming, parameters: Parameters) -> tuple[ApiKey | None, RecvWindow | None]:
        permission = request.endpoint.permission
        if permission is None:
            return None, None
        timestamp = int(parameters.required("timestamp", INTEGER))
        window_ms = parameters.text("recvWindow", WINDOW)
        signature = parameters.required(SIGNATURE)
        key = self._keys.identified(request.api_key, address=request.address)
        window = RecvWindow(
            timestamp=timestamp, window_ms=None if window_ms is None else int(window_ms.partition(".")[0])
        )
        window.check_arrival(self._venue.desk.clock())
        check_signature(key, request.signed_text, signature)
        check_permission(key, permission)
        return key, window

    async def _carried_out(
        self, endpoint: Endpoint, parameters: Parameters, key: ApiKey | None, call: Call, headers: dict[str, str]
    ) -> Reply:
        venue = self._venue
        now_ms = venue.desk.clock()
        asked = Asked(
            parameters=parameters,
            records=self._interference.records(call, venue.desk.core),
            venue=venue,
            client_ids=self._client_ids,
            now_ms=now_ms,
            key=key,
        )
        if endpoint.fetch is not None:
            await endpoint.fetch(asked)
            now_ms = venue.desk.clock()
            asked = replace(asked, now_ms=now_ms)
        if endpoint.orders:
            venue.order_counts.check(asked.account, endpoint.orders, now_ms)
        answer = endpoint.answer(asked)
        parameters.check_all_read(is_signed=key is not None)
        if endpoint.orders:
            headers |= venue.order_counts.add(asked.account, endpoint.orders, now_ms)
        return Reply(status=OK, body=msgspec.json.encode(answer), headers=headers)


def refused(refusal: RefusalError, headers: Mapping[str, str]) -> Reply:
    """Return the answer that says a refusal."""
    after = refusal.retry_after_seconds
    told = {**headers, **({} if after is None else {"Retry-After": str(after)})}
    return Reply(status=refusal.status, body=msgspec.json.encode(refusal.body()), headers=told)
