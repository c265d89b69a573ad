"""What a restart of the exchange keeps, what it ends, and how another one goes on where the one before it was."""

import asyncio

import ccxt
import pytest

from shared.mesh.clock import SystemClock
from tests.services.sim_exchange.exchange_process import OPEN, ExchangeProject
from tests.services.sim_exchange.face.venue import ccxt_at


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


async def _place_and_cancel(project: ExchangeProject) -> int:
    async with ccxt_at(project.port, project.key()) as client:
        await client.load_markets()
        placed = await client.create_order("BTC/USDT", "limit", "buy", 0.001, 5_000, {"newClientOrderId": "mine"})
        await client.cancel_order(placed["id"], "BTC/USDT")
        return int(placed["id"])
