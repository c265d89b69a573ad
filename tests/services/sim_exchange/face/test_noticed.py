"""Whoever writes requests down sees all of them, and never a key."""

import aiohttp
import pytest

from services.sim_exchange.face.door import Request
from services.sim_exchange.face.signing import signature_of
from tests.services.sim_exchange.face.venue import ALICE, serving, until, within

KEY = {"X-MBX-APIKEY": ALICE.key}


class Notebook:
    """What was noticed of every request."""

    def __init__(self) -> None:
        self.seen: list[tuple[Request, str | None]] = []

    def note(self, request: Request, account: str | None) -> None:
        """Take a request down."""
        self.seen.append((request, account))


@pytest.mark.parametrize(
    ("method", "path", "body", "called", "sent"),
    [
        ("GET", "/api/v3/depth?symbol=BTCUSDT", b"", "GET /api/v3/depth", {"symbol": "BTCUSDT"}),
        ("GET", f"/api/v3/depth?apiKey={ALICE.key}&signature=5", b"", "GET /api/v3/depth", {}),
        ("GET", "/api/v3/depth?a=1&a=2", b"", "GET /api/v3/depth", {}),
        ("POST", "/api/v3/order", b"\xff", "POST /api/v3/order", {}),
        ("POST", "/api/v3/order", b"a" * 100_000, "POST /api/v3/order", {}),
        ("GET", "/api/v3/nothing?a=1", b"", "GET /api/v3/nothing", {}),
        ("PUT", "/api/v3/order", b"", "PUT /api/v3/order", {}),
        ("GET", "/" + "x" * 5_000, b"", "GET /" + "x" * 195, {}),
    ],
)
async def test_request_over_rest_is_noticed(
    method: str, path: str, body: bytes, called: str, sent: dict[str, str]
) -> None:
    """Once, whether or not there is such an endpoint and it could be read, with whose key it shows."""
    book = Notebook()
    async with (
        serving(on_request=book.note) as venue,
        aiohttp.ClientSession(f"http://127.0.0.1:{venue.port}", headers=KEY) as session,
        session.request(method, path, data=body),
    ):
        pass
    assert book.seen == [(Request(called=called, sent=sent, address="127.0.0.1"), "alice")]


@pytest.mark.parametrize(
    ("path", "message", "called", "sent"),
    [
        ("/ws", '{"method":"SUBSCRIBE","params":["a@trade"]}', "SUBSCRIBE", {"params": '["a@trade"]'}),
        ("/ws", "garbage", "WS", {}),
        ("/ws", '{"method":"X"}', "WS", {}),
        ("/ws-api/v3", '{"method":"time"}', "time", {}),
        ("/ws-api/v3", '{"method":"X","params":{"apiKey":"5"}}', "X", {}),
        ("/ws-api/v3", "garbage", "WS", {}),
        ("/ws-api/v3", '{"method":"userDataStream.unsubscribe"}', "userDataStream.unsubscribe", {}),
    ],
)
async def test_message_of_a_websocket_is_noticed(path: str, message: str, called: str, sent: dict[str, str]) -> None:
    """Once, whether or not there is such a method and it could be read."""
    book = Notebook()
    async with (
        serving(on_request=book.note) as venue,
        aiohttp.ClientSession() as session,
        session.ws_connect(f"ws://127.0.0.1:{venue.port}{path}") as socket,
    ):
        await socket.send_str(message)
        await within(socket.receive())
    assert book.seen == [(Request(called=called, sent=sent, address="127.0.0.1"), None)]


async def test_streams_that_a_path_names_are_noticed() -> None:
    """They are asked for like any others."""
    book = Notebook()
    async with (
        serving(on_request=book.note) as venue,
        aiohttp.ClientSession() as session,
        session.ws_connect(f"ws://127.0.0.1:{venue.port}/stream?streams=btcusdt@trade"),
    ):
        await until(lambda: bool(book.seen))
    [(request, _)] = book.seen
    assert (request.called, request.sent) == ("SUBSCRIBE", {"params": '["btcusdt@trade"]'})


async def test_no_key_and_no_signature_is_noticed() -> None:
    """A signed order over the WebSocket API is seen without either."""
    book = Notebook()
    async with (
        serving(on_request=book.note) as venue,
        aiohttp.ClientSession() as session,
        session.ws_connect(f"ws://127.0.0.1:{venue.port}/ws-api/v3") as socket,
    ):
        sent = {"apiKey": ALICE.key, "timestamp": str(venue.clock())}
        signature = signature_of(ALICE.secret, "&".join(f"{name}={value}" for name, value in sent.items()))
        await socket.send_json({"method": "account.status", "params": {**sent, "signature": signature}})
        assert (await within(socket.receive_json()))["status"] == 200
    [(request, account)] = book.seen
    assert (request.called, account) == ("account.status", "alice")
    assert ALICE.key not in repr(request)
    assert signature not in repr(request)
    assert request.sent == {"timestamp": sent["timestamp"]}
