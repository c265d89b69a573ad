"""Whatever is thrown at the face is answered in the venue's words, or by HTTP's own; never by a 500."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import aiohttp
import msgspec
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.sim_exchange.face.signing import signature_of
from tests.services.sim_exchange.face.venue import ALICE, Venue, serving, within

KEY = {"X-MBX-APIKEY": ALICE.key}


@pytest_asyncio.fixture
async def venue() -> AsyncIterator[Venue]:
    """Return an exchange that serves."""
    async with serving() as served:
        yield served


def signed(venue: Venue, text: str) -> str:
    """Return a text of parameters with the time and a signature."""
    text = f"{text}&timestamp={venue.clock()}" if text else f"timestamp={venue.clock()}"
    return f"{text}&signature={signature_of(ALICE.secret, text)}"


async def asked(venue: Venue, method: str, path: str, **more: object) -> tuple[int, bytes]:
    """Ask, and return status and body."""
    async with (
        aiohttp.ClientSession(f"http://127.0.0.1:{venue.port}") as session,
        session.request(method, path, **more) as response,  # type: ignore[arg-type]  # of any kind of request
    ):
        return response.status, await response.read()


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v3/nothing", 404, None),
        ("GET", "/", 404, None),
        ("PUT", "/api/v3/order", 405, None),
        ("GET", "/api/v3/depth", 400, -1102),
        ("GET", "/api/v3/depth?symbol=btcusdt", 400, -1100),
        ("GET", "/api/v3/depth?symbol=%00%ff", 400, -1100),
        ("GET", "/api/v3/depth?symbol=BTCUSDT&limit=NaN", 400, -1100),
        ("GET", "/api/v3/depth?symbol=BTCUSDT&limit=0", 400, -1102),
        ("GET", "/api/v3/depth?symbol=BTCUSDT&symbol=ETHUSDT", 400, -1101),
        ("GET", "/api/v3/time?a=1", 400, -1101),
        ("GET", "/api/v3/klines?symbol=BTCUSDT&interval=7m", 400, -1120),
        ("GET", "/api/v3/klines?symbol=BTCUSDT&interval=1M&startTime=99999999999999999999", 200, None),
        ("GET", "/api/v3/klines?symbol=BTCUSDT&interval=1M&endTime=0", 200, None),
        ("GET", "/api/v3/klines?symbol=BTCUSDT&interval=1s&startTime=5&endTime=1", 200, None),
        ("GET", "/api/v3/ticker/price?symbols=%5B%22BTCUSDT%22", 400, -1100),
        ("GET", "/api/v3/exchangeInfo?symbol=BTCUSDT&symbols=%5B%22BTCUSDT%22%5D", 400, -1128),
        ("GET", "/api/v3/account", 400, -1102),
        ("GET", "/api/v3/account?timestamp=1&signature=x", 401, -2014),
        ("GET", "/ws", 400, None),
        ("GET", "/ws-api/v3", 400, None),
    ],
)
async def test_request_that_is_wrong_is_refused(
    venue: Venue, method: str, path: str, status: int, code: int | None
) -> None:
    """Every one has its answer."""
    found, body = await asked(venue, method, path)
    assert found == status, body
    if code is not None:
        assert msgspec.json.decode(body)["code"] == code


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"symbol":"BTCUSDT"}', 400),
        (b"\xff\xfe\x00", 400),
        (b"a" * 1_000_000, 413),
        (b"&".join(b"a%d=1" % number for number in range(1_000)), 400),
        (b"symbol=BTCUSDT&side=BUY&type=MARKET&quantity=NaN", 400),
    ],
)
async def test_body_that_is_wrong_is_refused(venue: Venue, body: bytes, status: int) -> None:
    """JSON, binary, too much, and nonsense are refused."""
    found, _ = await asked(venue, "POST", "/api/v3/order", data=body, headers=KEY)
    assert found == status


@pytest.mark.parametrize(
    "query", ["depth?symbol=BTCUSDT&limit=NaN", "ticker/24hr?symbols=garbage", "time?a=1&a=2", "time?a=%C3%BC"]
)
async def test_garbage_has_its_weight(venue: Venue, query: str) -> None:
    """A request that is too wrong to be weighed counts all the same."""
    async with aiohttp.ClientSession(f"http://127.0.0.1:{venue.port}/api/v3/") as session:
        for used in ("1", "2"):
            async with session.get(query) as response:
                assert response.status == 400
                assert response.headers["X-MBX-USED-WEIGHT-1M"] == used


async def test_anything_at_all_is_answered(venue: Venue) -> None:
    """Signed parameters of any content are refused by the venue's codes, or do what they say."""
    names = st.sampled_from(
        ["symbol", "side", "type", "quantity", "price", "stopPrice", "timeInForce", "newClientOrderId", "orderId", "x"]
    )
    values = st.one_of(
        st.sampled_from(["BTCUSDT", "BUY", "SELL", "LIMIT", "MARKET", "GTC", "1", "0.01", "60000", "NaN", "-1", "1e9"]),
        st.text(max_size=8),
    )
    queries: list[str] = []

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(st.dictionaries(names, values, max_size=8))
    def draw(sent: dict[str, str]) -> None:
        queries.append(urlencode(sent))

    draw()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{venue.port}", headers=KEY) as session:
        for query in queries:
            for method in ("GET", "POST", "DELETE"):
                async with session.request(method, "/api/v3/order", data=signed(venue, query)) as response:
                    told = msgspec.json.decode(await response.read())
                    assert response.status in {200, 400}, told
                    assert response.status == 200 or told["code"] < -1000


@pytest.mark.parametrize(
    "message",
    [b"", b"garbage", b"{", b"[]", b"null", b"\xff", b'{"method":5}', b'{"method":"X","params":"y"}', b"[" * 60_000],
)
@pytest.mark.parametrize("path", ["/ws", "/stream", "/ws-api/v3"])
async def test_message_that_is_wrong_is_refused(venue: Venue, path: str, message: bytes) -> None:
    """A socket answers nonsense with an error and stays open."""
    async with aiohttp.ClientSession() as session, session.ws_connect(f"ws://127.0.0.1:{venue.port}{path}") as socket:
        await socket.send_bytes(message)
        told = await within(socket.receive_json())
        assert told["error"]["code"] in {2, 3, -1135}
        await socket.send_str('{"method":"LIST_SUBSCRIPTIONS","id":7}')
        assert (await within(socket.receive_json()))["id"] == 7


async def test_message_that_is_huge_ends_the_connection(venue: Venue) -> None:
    """A message beyond the bound is not read to its end."""
    async with aiohttp.ClientSession() as session, session.ws_connect(f"ws://127.0.0.1:{venue.port}/ws") as socket:
        await socket.send_str("x" * 1_000_000)
        told = await within(socket.receive())
        assert told.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR}


async def test_line_that_is_no_http_is_refused(venue: Venue) -> None:
    """What does not speak HTTP is told so."""
    reader, writer = await asyncio.open_connection("127.0.0.1", venue.port)
    writer.write(b"\x00\x01\x02\r\n\r\n")
    assert b"400" in await within(reader.readline())
    writer.close()
    await writer.wait_closed()
