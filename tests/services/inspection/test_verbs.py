"""What a person reads of orders, positions and fills, and of the way back to the bar: from journals on the disk."""

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from proto.envelope import Body
from proto.orders import (
    CancelMarked,
    EntryOpened,
    ExitOpened,
    OrderAcknowledged,
    OrderDoubted,
    OrderEnded,
    OrderFilled,
    PositionChanged,
    SendMarked,
)
from proto.verdicts import IntentJudged, IntentRefused
from services.inspection import fills, orders, positions, why_command
from tests.proto.examples import AN_ORDER, APPROVAL_ID, BODIES, INTENT_ID
from tests.services.inspection.journals import written
from tests.shared.mesh.settings.projects import a_project

EXECUTOR = (EntryOpened, SendMarked, OrderAcknowledged, OrderFilled, OrderEnded, PositionChanged)


def example(kind: type[Body]) -> Body:
    """Return the example of a kind."""
    return next(body for body in BODIES if isinstance(body, kind))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a project in which nothing ever ran."""
    a_project(tmp_path)
    return tmp_path


@pytest.fixture
def project(root: Path) -> Path:
    """Return a project with the journals of one entry, from its intent to its end."""
    written(root, "risk", [example(IntentJudged)])
    written(root, "executor", [example(kind) for kind in EXECUTOR])
    return root


@pytest.mark.parametrize(
    ("verb", "expected"),
    [
        (orders.main, {"order": AN_ORDER.client_order_id, "state": "canceled", "filled": "0.00100"}),
        (fills.main, {"trade": "3141592653", "price": "64000.12", "fee": "0.0000845 BNB"}),
        (positions.main, {"strategy": "trend", "symbol": "BTC/USDT", "quantity": "0.00100", "covered": "0.00100"}),
    ],
    ids=["orders", "fills", "positions"],
)
def test_the_rows_are_those_of_the_journal(
    verb: Callable[[Sequence[str]], int],
    expected: dict[str, str],
    project: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each verb shows its rows, as a table for people and as JSON for scripts."""
    assert verb(["--root", str(project), "--json"]) == 0
    (row,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert expected.items() <= row.items()
    assert verb(["--root", str(project)]) == 0
    heads, line = capsys.readouterr().out.splitlines()
    assert heads.split() == [word for name in row for word in name.upper().split()]
    assert all(value in line for value in expected.values())


@pytest.mark.parametrize(
    "adopted", [(), ("flattener-7-1", "flattener-7-2", "flattener-7-3")], ids=["not yet", "adopted"]
)
def test_what_the_flattener_did_is_told_once(
    adopted: Sequence[str], root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A position that the flattener has closed is none, though the executor is dead; what is adopted is told once."""
    fill, held = example(OrderFilled), example(PositionChanged)
    assert isinstance(held, PositionChanged)
    closed = [example(SendMarked), fill, msgspec.structs.replace(held, quantity=Decimal(0), average_entry_price=None)]
    written(root, "executor", [held, *(closed if adopted else ())], causes=adopted)
    written(root, "flattener", closed)
    assert positions.main(["--root", str(root)]) == 0
    assert capsys.readouterr().out == "flat: nothing is held\n"
    assert fills.main(["--root", str(root), "--json"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


@pytest.mark.parametrize("name", [AN_ORDER.client_order_id, "28457193", "3141592653", APPROVAL_ID, INTENT_ID])
def test_why_leads_back_to_the_bar(name: str, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By whatever name one asks, the answer goes from the trade to the bar, and says what was seen there."""
    assert why_command.main([name, "--root", str(project)]) == 0
    trade, cost, order, approval, verdict, intent, bar, *evidence = capsys.readouterr().out.strip().splitlines()
    assert "trade 3141592653: 0.00100 at 64000.12" in trade
    assert "+0.0 bps against the 64000.00 it was decided at" in trade
    assert cost.strip() == "fee, half the spread and slippage cost unknown USDT, reckoned were 0.0704"
    assert AN_ORDER.client_order_id in order
    assert APPROVAL_ID in approval
    assert "approved with equity 1003.17" in verdict
    assert INTENT_ID in intent
    assert "bar 1h of BTC/USDT" in bar
    assert [line.strip() for line in evidence] == ["adx_14 = 31.7", "prior_high_20 = 63950.0"]


@pytest.mark.parametrize(
    ("trade", "cost"),
    [
        (("buy", "100.2", "0.2", "USDT"), "0.6000"),
        (("buy", "99.9", "0.002", "BTC"), "-0.0002"),
        (("sell", "99.9", "0.2", "USDT"), "0.4000"),
        (("sell", "100.1", "-0.1", "USDT"), "-0.3000"),
    ],
)
def test_a_cost_is_the_fee_and_what_the_price_was_worse(
    trade: tuple[Literal["buy", "sell"], str, str, str], cost: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two coins that were decided at 100: what is paid more, or got less, is a cost, and so is the fee."""
    side, price, fee, fee_asset = trade
    filled = example(OrderFilled)
    assert isinstance(filled, OrderFilled)
    filled = msgspec.structs.replace(
        filled,
        order=msgspec.structs.replace(AN_ORDER, side=side),
        price=Decimal(price),
        quantity=Decimal(2),
        quote_quantity=2 * Decimal(price),
        fee=Decimal(fee),
        fee_asset=fee_asset,
        decision_price=Decimal(100),
    )
    written(root, "executor", [example(SendMarked), filled])
    assert fills.main(["--root", str(root), "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert (row["cost"], row["reckoned"]) == (cost, "0.0704")


def test_why_not(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An intent that was refused says by which rule; what nobody knows is said to be unknown."""
    judged = example(IntentJudged)
    assert isinstance(judged, IntentJudged)
    refusal = example(IntentRefused)
    written(root, "risk", [msgspec.structs.replace(judged, approval=None, refusal=refusal)])
    assert why_command.main([INTENT_ID, "--root", str(root)]) == 0
    assert "refused by exposure_total_within_limit: 312.40 USDT, limit 300.00 USDT" in capsys.readouterr().out
    assert why_command.main(["nothing", "--root", str(root)]) == 1
    assert "nothing in the journals is called nothing" in capsys.readouterr().err


def test_an_exit_says_who_wanted_it(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The order of an exit leads to whoever asked for it, and to their reason."""
    mark, opened = example(SendMarked), example(ExitOpened)
    assert isinstance(mark, SendMarked)
    key = msgspec.structs.replace(AN_ORDER, purpose="exit", side="sell", parent_id="exit-1-1")
    doubted, marked = example(OrderDoubted), msgspec.structs.replace(mark, order=key)
    assert isinstance(doubted, OrderDoubted)
    written(root, "executor", [opened, marked, msgspec.structs.replace(doubted, order=key)])
    assert why_command.main([key.client_order_id, "--root", str(root)]) == 0
    order, wanted = capsys.readouterr().out.strip().splitlines()
    assert "in doubt; gateway timeout with an HTML body" in order
    assert "asked by strategy-trend: the trend is over" in wanted


def test_a_reason_steers_no_terminal(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What others gave as a reason may hold anything: it is shown, in the line where it stands."""
    mark, opened = example(SendMarked), example(ExitOpened)
    assert isinstance(mark, SendMarked)
    assert isinstance(opened, ExitOpened)
    key = msgspec.structs.replace(AN_ORDER, purpose="exit", side="sell", parent_id="exit-1-1")
    wild = msgspec.structs.replace(opened, reason="\x1b[2J\x1b]0;all is well\x07 over\nand out")
    written(root, "executor", [wild, msgspec.structs.replace(mark, order=key)])
    assert why_command.main([key.client_order_id, "--root", str(root)]) == 0
    shown = capsys.readouterr().out
    assert all(line.isprintable() for line in shown.splitlines())
    assert "\N{REPLACEMENT CHARACTER}[2J" in shown
    assert "over\N{REPLACEMENT CHARACTER}and out" in shown


@pytest.mark.parametrize("number", ["0", "-1", "many", "1.5"])
def test_a_number_of_rows_is_one_or_more(number: str, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Anything else is refused, and says what to write."""
    with pytest.raises(SystemExit, match="2"):
        fills.main(["--root", str(root), "-n", number])
    assert "write a number of rows, 1 or more" in capsys.readouterr().err


def test_there_may_be_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything was traded the verbs say so."""
    for verb, words in ((orders, "no orders yet"), (fills, "no fills yet"), (positions, "no positions yet")):
        assert verb.main(["--root", str(root)]) == 0
        assert capsys.readouterr().out == f"{words}\n"


def test_what_cannot_be_read_is_left_out_and_said(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A record of a version to come, or of none, takes nothing from those around it."""
    written(root, "executor", [example(kind) for kind in EXECUTOR], after=b"no message of ours")
    assert fills.main(["--root", str(root), "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["trade"] == "3141592653"
    assert said.err.startswith("bowline fills: record 1 of executor's journal is left out, it cannot be read: ")


def test_a_cancellation_under_way_is_no_end(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Until the venue has said it, the order is being cancelled, and why."""
    bodies = [example(kind) for kind in (EntryOpened, SendMarked, OrderAcknowledged, CancelMarked)]
    written(root, "executor", bodies)
    assert orders.main(["--root", str(root), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "being cancelled"
