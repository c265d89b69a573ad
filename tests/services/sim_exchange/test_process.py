"""The exchange as a process: killed under load, found again as it was; what stands in its way is said."""

import asyncio
import secrets
import socket

from services.sim_exchange.process import FOLDER, LOG_FOLDER
from tests.services.sim_exchange.exchange_process import ExchangeProject
from tests.services.sim_exchange.kills import kill_rounds

ROUNDS = 4


def test_what_was_acknowledged_outlives_the_process() -> None:
    """Killed while clients trade, it comes back with every order, fill and cancel that anybody was told of."""
    seed = secrets.randbits(32)
    with ExchangeProject() as project:
        acknowledged = asyncio.run(kill_rounds(project, ROUNDS, seed))
    assert acknowledged.orders, f"seed {seed}"


def test_trouble_is_said_in_a_sentence() -> None:
    """A port that is taken, accounts or a log that cannot be read: what, where and what to do, and an end in order."""
    with ExchangeProject() as project, socket.create_server(("127.0.0.1", project.port)):
        assert _reason(project).startswith(
            "a port of 127.0.0.1 cannot be had (error while attempting to bind on address"
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


def _reason(project: ExchangeProject) -> str:
    process = project.spawn()
    said = project.says(process, "the exchange cannot go on")
    assert said["level"] == "critical"
    process.communicate(timeout=30)
    return str(said["reason"])
