"""The admin socket: who is let in, what it does, and what it says to what it does not understand."""

import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from services.sim_exchange.faults.admin import ADMISSION_FILE, AdminSocket, fresh_token
from shared.mesh.private_directory import PrivateDirectory
from tests.services.sim_exchange.face.venue import BTC
from tests.services.sim_exchange.faults.sabotaged import Sabotaged

Ask = Callable[..., Awaitable[tuple[int, Any]]]


@pytest_asyncio.fixture
async def ask(exchange: Sabotaged, tmp_path: Path) -> AsyncIterator[Ask]:
    """Return what asks the admin socket something, with the token that it left in its file."""
    directory = PrivateDirectory(tmp_path / "var")
    socket = AdminSocket(desk=exchange.desk, saboteur=exchange.saboteur, token=fresh_token(directory))
    port = await socket.start(0)
    token = (tmp_path / "var" / ADMISSION_FILE).read_text(encoding="ascii")
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:

            async def asked(method: str, path: str, body: object = None, *, shown: str = token) -> tuple[int, Any]:
                headers = {"Authorization": f"Bearer {shown}"}
                content: dict[str, Any] = {"data": body} if isinstance(body, bytes) else {"json": body}
                async with session.request(method, path, headers=headers, **content) as response:
                    return response.status, await response.json()

            yield asked
    finally:
        await socket.stop()
        directory.close()


def test_the_token_is_for_its_owner_and_new_each_time(tmp_path: Path) -> None:
    """The file with the token can be read by its owner alone, and holds another token after every start."""
    directory = PrivateDirectory(tmp_path / "var")
    first, second = fresh_token(directory), fresh_token(directory)
    directory.close()
    path = tmp_path / "var" / ADMISSION_FILE
    assert first != second == path.read_text(encoding="ascii")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(second) >= 43


@pytest.mark.parametrize("shown", ["", "wrong", "w" * 43, "\u00e4"])
async def test_nobody_enters_without_the_token(ask: Ask, exchange: Sabotaged, shown: str) -> None:
    """Whoever shows another token, or none, gets nothing but where to find it."""
    status, answer = await ask("POST", "/faults", {"kind": "drop_reply"}, shown=shown)
    assert (status, list(answer)) == (401, ["error"])
    assert ADMISSION_FILE in answer["error"]
    assert exchange.saboteur.rules() == ()


async def test_faults_come_and_go(ask: Ask, exchange: Sabotaged) -> None:
    """A fault is added, listed with how often it struck, and taken away, by its id or with all others."""
    status, added = await ask("POST", "/faults", {"kind": "halt", "symbol": BTC, "id": "halted"})
    assert (status, added["id"], added["fault"]["kind"], added["has_begun"]) == (201, "halted", "halt", True)
    assert exchange.desk.core.rules()[BTC].status == "HALT"
    status, other = await ask("POST", "/faults", {"kind": "drop_reply", "when": {"nth": [2], "account": "alice"}})
    assert (other["fired"], other["seen"]) == (0, 0)
    _, listed = await ask("GET", "/faults")
    assert [one["id"] for one in listed["faults"]] == ["halted", other["id"]]
    status, removed = await ask("DELETE", "/faults/halted")
    assert (status, removed["id"]) == (200, "halted")
    assert exchange.desk.core.rules()[BTC].status == "TRADING"
    assert (await ask("DELETE", "/faults/halted"))[0] == 404
    _, removed = await ask("DELETE", "/faults")
    assert [one["id"] for one in removed["faults"]] == [other["id"]]
    assert exchange.saboteur.rules() == ()


async def test_money_comes_and_goes(ask: Ask) -> None:
    """A transfer brings money in or takes it out, as an owner would do elsewhere."""
    status, account = await ask("POST", "/transfer", {"account": "alice", "asset": "USDT", "amount": "12.5"})
    assert (status, account["balances"]["USDT"]["free"]) == (200, "1000012.5")
    await ask("POST", "/transfer", {"account": "alice", "asset": "USDT", "amount": "-0.5"})
    _, listed = await ask("GET", "/accounts")
    (alice,) = [one for one in listed["accounts"] if one["account"] == "alice"]
    assert Decimal(alice["balances"]["USDT"]["free"]) == 1_000_012


async def test_rules_are_set_for_good(ask: Ask, exchange: Sabotaged) -> None:
    """Filters change and symbols are halted, until somebody sets them again."""
    status, rules = await ask("POST", "/rules", {"symbol": BTC, "status": "BREAK", "tick_size": "0.5"})
    assert (status, rules["status"], rules["tick_size"]) == (200, "BREAK", "0.5")
    await ask("POST", "/rules", {"symbol": BTC, "status": "TRADING"})
    now = exchange.desk.core.rules()[BTC]
    assert (now.status, now.tick_size) == ("TRADING", Decimal("0.5"))


async def test_orders_are_shown(ask: Ask, exchange: Sabotaged) -> None:
    """The orders of an account are shown as they truly are."""
    exchange.venue.order("BUY", "0.1", "59000", account="alice")
    exchange.venue.order("BUY", "0.1", "60010", account="alice")
    _, everything = await ask("GET", "/orders?account=alice")
    _, still_open = await ask("GET", f"/orders?account=alice&symbol={BTC}&open")
    assert [one["status"] for one in everything["orders"]] == ["NEW", "FILLED"]
    assert [one["status"] for one in still_open["orders"]] == ["NEW"]


@pytest.mark.parametrize(
    ("method", "path", "body", "said"),
    [
        ("POST", "/faults", b"{", "the body is no mapping in JSON"),
        ("POST", "/faults", [], "the body is no mapping in JSON"),
        ("POST", "/faults", {"kind": "nothing"}, "kind: is none of the kinds of faults: write one of"),
        ("POST", "/faults", {"kind": "drop_reply", "id": 7}, "id: is no name"),
        ("POST", "/faults", {"kind": "halt", "symbol": "DOGEUSDT"}, "symbol: `DOGEUSDT` is not listed: write one of"),
        ("POST", "/faults", {"kind": "drop_reply", "when": {"nth": 3}}, "when.nth: Expected `array | null`, got `int`"),
        ("POST", "/transfer", {"account": "alice"}, 'write for example {"account": "demo"'),
        ("POST", "/transfer", {"account": "eve", "asset": "USDT", "amount": "1"}, "account: `eve` was not opened"),
        ("POST", "/transfer", {"account": "alice", "asset": "USDT", "amount": "NaN"}, "amount: is no amount"),
        ("POST", "/transfer", {"account": "alice", "asset": "USDT", "amount": "1e-9"}, "up to 8 digits"),
        ("POST", "/transfer", {"account": "alice", "asset": "USDT", "amount": "-2000000"}, "no more than is free"),
        ("POST", "/rules", {"status": "HALT"}, "symbol: is missing"),
        ("POST", "/rules", {"symbol": BTC, "status": "CLOSED"}, "status: write one of TRADING, HALT, BREAK"),
        ("POST", "/rules", {"symbol": BTC, "tick": "1"}, "tick: is not known here: write one of symbol, tick_size"),
        ("POST", "/rules", {"symbol": BTC, "when": {}}, "when: rules stay until they are set again, or a restart"),
        ("POST", "/rules", {"symbol": BTC}, "say which filter becomes what"),
        ("GET", "/orders", None, "account: `` was not opened: write one of alice"),
    ],
)
async def test_what_is_not_understood_is_explained(ask: Ask, method: str, path: str, body: object, said: str) -> None:
    """Bad input changes nothing, and is answered with what is wrong, where, and what to write."""
    status, answer = await ask(method, path, body)
    assert status == 400
    assert said in answer["error"]


async def test_an_id_is_given_once(ask: Ask) -> None:
    """Two faults do not share an id."""
    await ask("POST", "/faults", {"kind": "drop_reply", "id": "mine"})
    status, answer = await ask("POST", "/faults", {"kind": "drop_reply", "id": "mine"})
    assert (status, answer["error"][:17]) == (400, "id: `mine` is tak")
