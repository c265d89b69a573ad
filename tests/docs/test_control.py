"""What the pages say of stopping and starting again is so: the requests, the conditions, the alerts, the program."""

import ast
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator

import pytest

from proto.topics import TOPICS, Delivery
from shared.execution.adoption import UNREAD
from shared.execution.books import OVERSOLD
from shared.execution.control import PAUSED, RECORDS_LOST, TROUBLED_START
from shared.execution.outside import ACTIVITY, CONTRADICTED, UNCLAIMED
from tests.docs.test_rules import named_in_table, nodes, words
from tests.house.tree import CHECKOUT
from tests.services.risk_watchdog.risk_project import RiskProject

ALERTING = frozenset({"Alerted", "alert", "tell"})
ALERT_NAME = re.compile(r"[a-z]+(-[a-z]+)+")
RUNBOOKS = CHECKOUT / "docs" / "runbooks"


def test_every_request_has_a_row() -> None:
    """Whatever can be asked on a control socket stands on the page, once."""
    asked = [topic for topic in TOPICS if topic.socket == "control" and topic.delivery is not Delivery.ANSWER]
    rows = named_in_table("control.md", "What can be asked, and who answers?")
    assert [row for row in rows if not row.startswith(("Control", "ClearKill", "Limits"))] == [
        topic.message.__name__ for topic in asked
    ]


def test_every_condition_has_a_row() -> None:
    """Those of risk, which stand in its own table too, and those that the executor writes down."""
    rows = named_in_table("what-stops-trading.md", "Which conditions are there?")
    assert len(rows) == len(set(rows))
    calls = [node for node in nodes("shared/execution", ("evidence.py", "outside.py")) if isinstance(node, ast.Call)]
    wary = [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "wary"]
    executors = words([call.args[1] for call in wary])
    executors |= {PAUSED, RECORDS_LOST, TROUBLED_START, CONTRADICTED, ACTIVITY, OVERSOLD, UNCLAIMED, UNREAD}
    risks = named_in_table("how-is-an-entry-judged.md", "What stops all entries, or some?")
    assert {*risks, *executors} == set(rows)


def test_what_is_no_condition_is_a_rule_of_the_executor() -> None:
    """A flattening holds entries back as well, for as long as it lasts: its row names the rule."""
    text = (CHECKOUT / "docs/what-stops-trading.md").read_text(encoding="utf-8")
    (rule,) = re.findall(r"^\| no condition: .* by the rule `(\w+)`", text, re.MULTILINE)
    assert rule in named_in_table("how-does-an-order-travel.md", "What stands against an entry?")


def alert_names() -> Iterator[str]:
    """Yield the names of the alerts that risk raises: they stand in the functions that raise one."""
    for file in sorted((CHECKOUT / "services/risk_watchdog").rglob("*.py")):
        for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.FunctionDef):
                continue
            inside = list(ast.walk(function))
            called = {node.func for node in inside if isinstance(node, ast.Call)}
            if ALERTING & {one.id if isinstance(one, ast.Name) else getattr(one, "attr", "") for one in called}:
                texts = [node.value for node in inside if isinstance(node, ast.Constant)]
                yield from (text for text in texts if isinstance(text, str) and ALERT_NAME.fullmatch(text))


def test_every_alert_has_a_page() -> None:
    """And every page an alert; the list of them names each."""
    pages = {file.stem for file in RUNBOOKS.glob("*.md")} - {"README"}
    assert set(alert_names()) == pages
    listed = (RUNBOOKS / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| \[`([a-z-]+)`\]", listed, re.MULTILINE)) == pages
    for page in pages:
        assert (RUNBOOKS / f"{page}.md").read_text(encoding="utf-8").startswith(f"# `{page}`: ")


@pytest.fixture
def project() -> Iterator[RiskProject]:
    """Return a project; its processes end with the test."""
    with RiskProject() as project:
        yield project


def test_the_program_on_the_page_stops_and_starts_again(project: RiskProject) -> None:
    """It is taken from the page as it stands, but for its patience, and so are the lines by which it is called."""
    page = (CHECKOUT / "docs/control.md").read_text(encoding="utf-8")
    (as_it_stands,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    script = as_it_stands.replace(" = 2_000, 0 ", " = 90_000, 0 ")  # a busy machine may take longer
    assert script != as_it_stands
    lines = [shlex.split(line)[3:] for line in re.findall(r"^\$ (python ask\.py .*)$", page, re.MULTILINE)]
    project.start_risk()

    def asked(line: list[str], **known: str) -> list[str]:
        said = [known.get(word, word) for word in line]
        command = [sys.executable, "-W", "error", "-c", script, str(project.root / "var"), *said]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=90).stdout.splitlines()

    kill, ask, confirm = lines
    for unread in (kill[:-1], [*kill, "and more"], [kill[0], "kill.0", *kill[2:]]):
        assert asked(unread)[:2] == ["request_refused.1", "request_can_be_read"]
    tag, said = asked(kill)
    latch_id = said.split()[0]
    assert (tag, latch_id.startswith("kill-")) == ("control_done.1", True)
    offered = asked(ask, LATCH=latch_id)
    assert offered[:2] == ["clear_kill_offered.1", latch_id]
    cleared = asked(confirm, LATCH=latch_id, OFFER=offered[2])
    assert cleared[0] == "control_done.1"
    assert f"{latch_id} is cleared" in cleared[1]
