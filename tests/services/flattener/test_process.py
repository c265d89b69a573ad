"""The flattener as a real process, beside a real exchange and nobody else."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from proto.account import AccountSnapshot
from proto.control import ControlDone, Kill
from shared.mesh.halt_file import HaltFile
from tests.services.asker import Asker
from tests.services.hearing import heard
from tests.services.sim_exchange.admin import ExchangeAdmin
from tests.services.supervision.harness import eventually
from tests.trading.project import TradingProject


@pytest.fixture(scope="module")
def project() -> Iterator[TradingProject]:
    """Run an exchange, and a flattener that was there first and waits for its key."""
    project = TradingProject(strategy="")
    processes = [project.spawn("flattener")]
    try:
        eventually(lambda: "the private stream is lost" in project.events("flattener"))
        processes.append(project.spawn("exchange"))
        yield project
    finally:
        for process in processes:
            process.kill()
            process.wait()
        project.remove()


def a_snapshot(project: TradingProject, equity_quote: Decimal) -> AccountSnapshot:
    """Wait until the account is said to be worth so much in money, beside the coins that it began with."""

    def has(snapshot: object) -> bool:
        free = {held.asset: held.free for held in snapshot.balances} if isinstance(snapshot, AccountSnapshot) else {}
        return free.get("USDT") == equity_quote

    body = heard(project.root, "flattener", "account", lambda envelope: has(envelope.body)).body
    assert isinstance(body, AccountSnapshot)
    return body


def test_account_is_read_with_nobody_else_there(project: TradingProject) -> None:
    """As soon as there is a key it says what the account is worth, and soon afterwards what came in."""
    begun = a_snapshot(project, Decimal(10_000))
    assert begun.equity_quote > Decimal(10_000)  # there is a coin of BNB, too
    ExchangeAdmin(project.root, project.admin_port).transfer("demo", "USDT", "500")
    assert a_snapshot(project, Decimal(10_500)).read_number > begun.read_number


def test_kill_works_with_nobody_else_there(project: TradingProject) -> None:
    """The flattener makes the HALT file itself."""
    answer = Asker(project.root).answered("operator", "flattener", "control", Kill(actor="ada", reason="a test"))
    assert isinstance(answer, ControlDone), answer
    latch = HaltFile(project.root / "var").latch()
    assert latch is not None
    assert latch.latch_id in answer.summary
