"""`bowline sim-exchange`: what it shows of an exchange that runs, or ran, and how faults come into it."""

import asyncio
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import ccxt

from services.sim_exchange import command
from services.sim_exchange.faults.admin import ADMISSION_FILE
from services.sim_exchange.process import FOLDER
from tests.loopback import free_port
from tests.services.sim_exchange.exchange_process import ExchangeProject
from tests.services.sim_exchange.face.venue import ccxt_at

SCENARIO = """
seed: 7
steps:
  lost_answer:
    at: request 2
    fault:
      kind: drop_reply
      when: {endpoint: POST /api/v3/order, most: 1}
"""


def shown(root: Path, *words: str) -> tuple[int, str, str]:
    """Run the verb, and return its code and what it said."""
    output, errors = io.StringIO(), io.StringIO()
    code = command.run(["--root", str(root), *words], environment={}, output=output, errors=errors)
    return code, output.getvalue(), errors.getvalue()


def test_what_happened_is_shown_while_it_runs_and_afterwards() -> None:
    """Balances, orders and the log's last lines, a fault of a scenario among them; from the log alone."""
    with ExchangeProject() as project:
        code, _, complaint = shown(project.root, "accounts")
        assert (code, "no exchange has run here yet" in complaint) == (1, True)
        (project.root / "scenario.yaml").write_text(SCENARIO)
        admin_port = free_port()
        project.set(
            f"sim_exchange: {{port: {project.port}, admin: on, admin_port: {admin_port}}}\nlogs: {{format: json}}\n"
        )
        process = project.start("--scenario", str(project.root / "scenario.yaml"))
        asyncio.run(_trade(project, admin_port))
        while_it_runs = [shown(project.root, *words) for words in LOOKS]
        assert project.stop(process) == 0
        assert [shown(project.root, *words) for words in LOOKS] == while_it_runs
        accounts, working, everything, log, lines = (output for _, output, _ in while_it_runs)
        assert ["demo", "USDT", "9905", "5"] in [line.split() for line in accounts.splitlines()]
        assert "resting" in working
        assert "gone" not in working
        assert "gone" in everything
        assert "CANCELED" in everything
        assert "fault lost_answer (drop_reply) struck for the 1. time: demo POST /api/v3/order BTCUSDT resting" in log
        assert "signature" not in log
        kinds = {json.loads(line)["line"] for line in lines.splitlines()}
        assert kinds == {"Received", "Happened", "Interfered"}


LOOKS = (("accounts",), ("orders",), ("orders", "--all"), ("log", "-n", "30"), ("log", "-n", "9", "--json"))


async def _trade(project: ExchangeProject, admin_port: int) -> None:
    async with ccxt_at(project.port, project.key()) as client:
        await client.load_markets()
        for name in ("resting", "gone"):
            try:
                await client.create_order("BTC/USDT", "limit", "buy", 0.0002, 25_000, {"newClientOrderId": name})
            except ccxt.ExchangeNotAvailable:  # whose answer was lost
                assert name == "resting"
        await client.cancel_order(None, "BTC/USDT", {"origClientOrderId": "gone"})
        taken = await _taken_out(project, admin_port, "-90")
        assert Decimal(taken["USDT"]["free"]) == Decimal(9_905)
        assert Decimal(taken["USDT"]["locked"]) == Decimal(5)


async def _taken_out(project: ExchangeProject, admin_port: int, amount: str) -> dict[str, Any]:
    token = (project.root / "var" / FOLDER / ADMISSION_FILE).read_text()
    transfer = {"account": "demo", "asset": "USDT", "amount": amount}
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session,
        session.post(f"http://127.0.0.1:{admin_port}/transfer", json=transfer) as answer,
    ):
        assert answer.status == 200, await answer.text()
        told: dict[str, Any] = await answer.json()
        balances: dict[str, Any] = told.get("balances", told)
        return balances
