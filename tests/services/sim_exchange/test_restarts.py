"""What a restart of the exchange keeps, what it ends, and how another one goes on where the one before it was."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import aiohttp
import ccxt
import pytest

from services.sim_exchange.faults.admin import ADMISSION_FILE
from services.sim_exchange.market.intervals import HOUR_MS
from services.sim_exchange.process import FOLDER
from shared.mesh.clock import SystemClock
from tests.loopback import free_port
from tests.services.sim_exchange.exchange_process import OPEN, ExchangeProject
from tests.services.sim_exchange.face.venue import ccxt_at

RECORDED_MS: Final = 1_747_699_200_000  # 2025-05-20


def test_client_id_that_may_not_come_again_is_refused_after_a_restart() -> None:
    """By the usual rule it is free again; by the one of the settings it is used, since before the start."""
    with ExchangeProject() as project:
        process = project.start()
        for _ in range(2):
            asyncio.run(_place_and_cancel(project))
        assert project.stop(process) == 0
        project.set(f"sim_exchange: {{port: {project.port}, client_ids: ever}}\nlogs: {{format: json}}\n")
        project.start()
        with pytest.raises(ccxt.InvalidOrder, match="Duplicate order sent"):
            asyncio.run(_place_and_cancel(project))


def test_ids_of_an_exchange_that_stood_by_begin_at_its_opening() -> None:
    """They come after all that the one before it can have given in the meantime."""
    with ExchangeProject() as project:
        first, second = project.start(), project.spawn()
        project.says(second, "standing by")
        ended_ms = SystemClock().wall_ns() // 1_000_000
        project.stop(first)
        project.says(second, OPEN)
        assert asyncio.run(_place_and_cancel(project)) > ended_ms * 1_000


def test_restart_is_the_end_of_a_halt() -> None:
    """What a fault or the admin made of a symbol is over: it has the filters of its market, and trades."""
    with ExchangeProject() as project:
        admin_port = free_port()
        project.set(
            f"sim_exchange: {{port: {project.port}, admin: on, admin_port: {admin_port}}}\nlogs: {{format: json}}\n"
        )
        process = project.start()
        as_it_was = asyncio.run(_rules(project))
        halt = {"kind": "halt", "symbol": "BTCUSDT", "when": {"until": "+10m"}}
        asyncio.run(_command(project, admin_port, "faults", halt))
        asyncio.run(_command(project, admin_port, "rules", {"symbol": "ETHUSDT", "tick_size": "0.5"}))
        changed = asyncio.run(_rules(project))
        assert changed["BTCUSDT"]["status"] == "HALT"
        assert changed["ETHUSDT"] != as_it_was["ETHUSDT"]
        process.kill()
        process.communicate()
        project.start()
        assert asyncio.run(_rules(project)) == as_it_was
        asyncio.run(_place_and_cancel(project))


def test_log_of_a_market_with_more_symbols_is_not_opened() -> None:
    """Rather than list symbols that have no price; a log with fewer is, and has the others listed."""
    with ExchangeProject() as project:
        bars = project.root / "bars"
        bars.mkdir()
        rows = [f"{RECORDED_MS + hour * HOUR_MS},100,102,99,101,5" for hour in range(72)]
        head = "timestamp_ms,open,high,low,close,volume"
        (bars / "BTCUSDT-1h.csv").write_text("\n".join([head, *rows, ""]))
        process = project.start("--replay", str(bars))
        assert asyncio.run(_rules(project)).keys() == {"BTCUSDT"}
        assert project.stop(process) == 0
        process = project.start()
        assert asyncio.run(_rules(project)).keys() == {"BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT"}
        assert project.stop(process) == 0
        process = project.spawn("--replay", str(bars))
        folder = project.root / "var" / FOLDER
        assert project.says(process, "cannot go on")["reason"] == (
            f"the log in {folder} knows BNBUSDT, ETHUSDT, SOLUSDT, which this market does not have: "
            f"move {folder} away, or run with the same symbols"
        )


async def _rules(project: ExchangeProject) -> dict[str, dict[str, Any]]:
    """Return what is told of every symbol."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{project.port}/api/v3/exchangeInfo") as answer,
    ):
        assert answer.status == 200, await answer.text()
        return {symbol["symbol"]: symbol for symbol in (await answer.json())["symbols"]}


async def _command(project: ExchangeProject, admin_port: int, what: str, asked: Mapping[str, object]) -> None:
    token = (project.root / "var" / FOLDER / ADMISSION_FILE).read_text()
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session,
        session.post(f"http://127.0.0.1:{admin_port}/{what}", json=asked) as answer,
    ):
        assert answer.ok, await answer.text()


async def _place_and_cancel(project: ExchangeProject) -> int:
    async with ccxt_at(project.port, project.key()) as client:
        await client.load_markets()
        price = (await client.fetch_ohlcv("BTC/USDT", "1m", limit=1))[0][
            4
        ] // 2  # far from any taker, near enough to pass
        placed = await client.create_order("BTC/USDT", "limit", "buy", 0.001, price, {"newClientOrderId": "mine"})
        await client.cancel_order(placed["id"], "BTC/USDT")
        return int(placed["id"])
