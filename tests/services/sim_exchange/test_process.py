"""The exchange as a process: killed under load, found again as it was; what stands in its way is said."""

import asyncio
import secrets
import socket
from pathlib import Path

import pytest

from services.sim_exchange.market.intervals import DAY_MS, HOUR_MS
from services.sim_exchange.market.settings import DEFAULT_SYMBOLS, MarketSettings
from services.sim_exchange.market.source import PriceSource
from services.sim_exchange.process import FOLDER, LOG_FOLDER, Choice, SimExchange
from shared.core.service import FromOutside
from shared.mesh.clock import SystemClock
from shared.mesh.settings.doors import Door
from tests.services.sim_exchange.exchange_process import ExchangeProject
from tests.services.sim_exchange.face.venue import ccxt_at
from tests.services.sim_exchange.kills import kill_rounds

ROUNDS = 3
RECORDED_MS = 1_747_699_200_000  # 2025-05-20


def test_what_was_acknowledged_outlives_the_process() -> None:
    """Killed while clients trade, it comes back with every order, fill and cancel that anybody was told of."""
    seed = secrets.randbits(32)
    with ExchangeProject() as project:
        acknowledged = asyncio.run(kill_rounds(project, ROUNDS, seed))
    assert acknowledged.orders, f"seed {seed}"


def test_trouble_is_said_in_a_sentence() -> None:
    """A port that is taken, accounts or a log that cannot be read: what, where and what to do, and an end in order."""
    with ExchangeProject() as project, socket.create_server(("127.0.0.1", project.port)):
        assert _reason(project) == (
            f"port {project.port} of 127.0.0.1 cannot be had (Address already in use): "
            "end whoever has it, which `ss -ltnp` names, or choose another in sim_exchange.port"
        )
    with ExchangeProject() as project:
        project.stop(project.start())
        home = project.root / "var" / FOLDER
        for file, content in ((home / LOG_FOLDER / "00000001.jsonl", "what?\n"), (home / "accounts.json", "[{}]")):
            whole = file.read_text()
            file.write_text(content)
            assert f"{file} cannot be " in _reason(project).replace("line 1 of ", "")
            file.write_text(whole)
        process = project.start()
        assert project.stop(process) == 0


def test_recorded_bars_are_played() -> None:
    """What the folder holds is the history of the exchange, shifted to today, and the price goes on from there."""
    with ExchangeProject() as project:
        opens = [RECORDED_MS + hour * HOUR_MS for hour in range(72)]
        rows = [f"{at_ms},{100 + hour},{102 + hour},{99 + hour},{101 + hour},5" for hour, at_ms in enumerate(opens)]
        (project.root / "bars").mkdir()
        head = "timestamp_ms,open,high,low,close,volume"
        (project.root / "bars/BTCUSDT-1h.csv").write_text("\n".join([head, *rows, ""]))
        process = project.start("--replay", str(project.root / "bars"))
        bars = asyncio.run(_bars(project))
        assert project.stop(process) == 0
    yesterday = [bar for bar in bars if bar[0] < bars[-1][0] - bars[-1][0] % DAY_MS]
    assert yesterday
    for opened_ms, opened, high, low, close, volume in yesterday[-20:]:
        hour = opened_ms % DAY_MS // HOUR_MS
        assert (opened, high, low, close, volume) == (100 + hour, 102 + hour, 99 + hour, 101 + hour, 5)


def test_what_nobody_foresaw_ends_the_process() -> None:
    """An error on the way to the open door, of no kind that is known, reaches the loop: there it ends a process."""

    def prices(_settings: MarketSettings, _opened_ms: int) -> PriceSource:
        raise ZeroDivisionError

    async def escaped(directory: Path) -> object:
        loop = asyncio.get_running_loop()
        seen: asyncio.Future[object] = loop.create_future()
        loop.set_exception_handler(lambda _, context: seen.set_result(context.get("exception")))
        choice = Choice(
            directory=directory,
            door=Door("sim_exchange.port", 0),
            admin_door=None,
            seed=7,
            client_ids="unique while open",
            symbols=DEFAULT_SYMBOLS,
            prices=prices,
            scenario=None,
        )
        exchange = SimExchange(choice, SystemClock())
        exchange.open(list[FromOutside]().append)
        try:
            return await asyncio.wait_for(seen, 90)
        finally:
            exchange.close()

    with ExchangeProject() as project:
        assert isinstance(asyncio.run(escaped(project.root / "var" / FOLDER)), ZeroDivisionError)


async def _bars(project: ExchangeProject) -> list[list[float]]:
    async with ccxt_at(project.port, project.key()) as client:
        await client.load_markets()
        bars: list[list[float]] = await client.fetch_ohlcv("BTC/USDT", "1h", limit=48)
        return bars


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--today", "2025-05-20"], "--today is a day of a recording: say which one with --replay FOLDER."),
        (["--replay", "nowhere"], "nowhere: no recording in it; name the files by symbol and interval"),
        (["--scenario", "nowhere"], "No such file or directory: 'nowhere'"),
        (["--scenario", "README.md"], "README.md"),
    ],
)
def test_choice_that_cannot_be_meant_is_refused(words: list[str], complaint: str) -> None:
    """A recording or scenario that is not there, or is none, is said in a sentence, with code 78."""
    with ExchangeProject() as project:
        process = project.spawn(*words)
        _, said = process.communicate(timeout=90)
        assert process.returncode == 78
        assert said.startswith("exchange: ")
        assert complaint in said
        assert "Traceback" not in said


def _reason(project: ExchangeProject) -> str:
    process = project.spawn()
    said = project.says(process, "cannot go on", never="running")
    assert said["level"] == "critical"
    process.communicate(timeout=90)
    assert process.returncode == 78
    return str(said["reason"])
