"""Where every request comes in, over REST and over the WebSocket API, and the order in which it is judged.

Weight, parameters, key, signature, time; then the interference; then time once more, since a request may have waited;
then it is carried out. What leaves is encoded, with the venue's headers.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
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


class Request(msgspec.Struct, frozen=True, kw_only=True):
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

    async def answer(self, request: Request) -> Reply:
        """Answer a request; an interference may raise `HangUpError` instead."""
        self._on_request(request, self._keys.owner_of(request.api_key))
        endpoint, headers = request.endpoint, dict[str, str]()
        parameters = Parameters(request.sent)
        clock = self._venue.desk.clock
        try:
            weight = endpoint.weigh(parameters)
            headers |= self._weights.charge(request.address, weight, clock(), wallet=endpoint.is_wallet)
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

    def _let_in(self, request: Request, parameters: Parameters) -> tuple[ApiKey | None, RecvWindow | None]:
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
