"""The tables of rules name every rule by which an entry is refused, and none that is not there."""

import ast
import re
from collections.abc import Iterator, Sequence
from typing import Final

from services.risk_watchdog.core.latch import KILL_LATCH
from shared.risk.caps import CAPS
from shared.risk.judgement import GATE_RULE
from shared.risk.rules import RULES
from tests.house.tree import CHECKOUT

NAME: Final = re.compile(r"[a-z]+(_[a-z]+)*")
EXECUTOR: Final = ("leave.py", "entrance.py", "requests.py")
CONDITIONS: Final = ("permission.py", "guards.py", "cover_watch.py", "strategy_watch.py")
RISK: Final = ("judge.py", "approvals.py", "writing.py")


def named_in_table(page: str, heading: str) -> list[str]:
    """Return what the first column of the table below a heading names."""
    text = (CHECKOUT / "docs" / page).read_text(encoding="utf-8")
    section = text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    first_cells = re.findall(r"^\| (.*?) \|", section, re.MULTILINE)
    return [name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)]


def nodes(folder: str, files: Sequence[str]) -> Iterator[ast.AST]:
    """Yield every node of some files."""
    for file in files:
        yield from ast.walk(ast.parse((CHECKOUT / folder / file).read_text(encoding="utf-8")))


def words(found: Sequence[ast.expr]) -> set[str]:
    """Return those expressions that are names of rules."""
    texts = {node.value for node in found if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in texts if NAME.fullmatch(text)}


def paired(folder: str, files: Sequence[str]) -> set[str]:
    """Return the rules of refusals that are a pair of rule and reason."""
    pairs = [node.elts for node in nodes(folder, files) if isinstance(node, ast.Tuple)]
    return words([pair[0] for pair in pairs if len(pair) == 2])


def handed(folder: str, files: Sequence[str], functions: Sequence[str]) -> set[str]:
    """Return the names that some functions are called with, first or as the rule."""
    calls = [node for node in nodes(folder, files) if isinstance(node, ast.Call)]
    ours = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id in functions]
    by_keyword = [word.value for call in ours for word in call.keywords if word.arg == "rule"]
    return words([*(call.args[0] for call in ours if call.args), *by_keyword])


def test_the_executors_rules_stand_in_their_table() -> None:
    """Whoever is told a rule of the executor's finds it on the page, once."""
    rows = named_in_table("how-does-an-order-travel.md", "What stands against an entry?")
    assert sorted(rows) == sorted(paired("shared/execution", EXECUTOR))


def test_the_rules_of_risk_stand_in_their_table() -> None:
    """So are those of risk: its own, the rules and caps, and the profit gate."""
    rows = named_in_table("how-is-an-entry-judged.md", "By which rule is an entry refused?")
    listed = {function.__name__ for function in (*RULES, *CAPS)} | {GATE_RULE}
    refusing = ("Refusal", "_lacking", "IntentRefused", "RequestRefused")
    assert sorted(rows) == sorted(listed | handed("services/risk_watchdog/core", RISK, refusing))


def test_the_conditions_of_risk_stand_in_their_table() -> None:
    """What holds entries back altogether is told by a name that stands on the page."""
    rows = named_in_table("how-is-an-entry-judged.md", "What stops all entries, or some?")
    found = handed("services/risk_watchdog/core", CONDITIONS, ("against",))
    assert sorted(rows) == sorted(found | {KILL_LATCH})
