"""`bowline verify`: what it reads, what it says, and how it ends."""

import io
import json
from pathlib import Path

import pytest

from services.verify.checker.verdict import INVARIANTS
from services.verify.command import BROKEN, KEPT, NOT_JUDGED, run
from shared.mesh.started_with import keep
from tests.checker.life import a_story
from tests.checker.story import Story
from tests.house.tree import CHECKOUT
from tests.services.test_cli import bowline
from tests.shared.mesh.settings.projects import a_project


def verify(root: Path, *words: str) -> tuple[int, str, str]:
    """Run the verb; return exit code, output and errors."""
    output, errors = io.StringIO(), io.StringIO()
    code = run(["--root", str(root), *words], environment={}, output=output, errors=errors)
    return code, output.getvalue(), errors.getvalue()


def a_traded_project(root: Path, story: Story, *, local: str = "") -> Path:
    """Return a project in whose var/ a story is written down."""
    a_project(root, local=local)
    for role, journal in story.journals().items():
        directory = root / "var" / "journal" / role
        directory.mkdir(parents=True)
        for name, content in journal.files.items():
            (directory / name).write_bytes(content)
        (directory / "committed").write_bytes(journal.mark())
    log = root / "var" / "exchange" / "log"
    log.mkdir(parents=True)
    (log / "00000001.jsonl").write_bytes(story.log_bytes())
    return root


def test_kept_promises(tmp_path: Path) -> None:
    """Each promise has its line with how often it was looked at, and the exit code is 0."""
    code, output, errors = verify(a_traded_project(tmp_path, a_story()), "--settled", "--limits")
    assert (code, errors) == (KEPT, "")
    lines = output.splitlines()
    assert "8 orders marked, 4 fills" in lines[0]
    assert [line.split()[0] for line in lines[1 : len(INVARIANTS) + 1]] == list(INVARIANTS)
    assert lines[-1].startswith("all kept")
    assert "BROKEN" not in output


def test_what_is_not_judged_is_said(tmp_path: Path) -> None:
    """Without --limits no approval is held against today's settings, and that is said."""
    code, output, _ = verify(a_traded_project(tmp_path, a_story()))
    assert code == KEPT
    assert "not judged: no limits were given" in output


def test_limits_are_those_that_the_mesh_ran_with(tmp_path: Path) -> None:
    """A demonstration is judged by its own limits, and not by those of who looks; whose they are is said."""
    root = a_traded_project(tmp_path, a_story(), local="risk: {entries_per_day_max: 1}\n")
    code, output, _ = verify(root, "--limits")
    assert code == BROKEN
    assert "limits are those of these settings (profile small): nobody wrote down" in output
    keep(root / "var/run", {"BOWLINE_RISK__ENTRIES_PER_DAY_MAX": "100", "BOWLINE_RISK__PROFILE": "demo", "HOME": "/"})
    code, output, _ = verify(root, "--limits")
    assert code == KEPT
    assert "limits are those of the mesh that ran last (profile demo)" in output
    assert json.loads(verify(root, "--limits", "--json")[1])["limits_of"] == "the mesh that ran last (profile demo)"


def test_settings_of_the_mesh_that_are_refused_now_are_no_reason_to_judge_nothing(tmp_path: Path) -> None:
    """As a mesh's of a version that had one more, which nobody who looks has set."""
    root = a_traded_project(tmp_path, a_story())
    keep(root / "var/run", {"BOWLINE_RISK__GONE_BY_NOW": "3"})
    code, output, errors = verify(root, "--limits")
    assert (code, errors) == (KEPT, "")
    assert "limits are those of these settings (profile small): what the mesh ran with is refused now" in output


def test_broken_promise(tmp_path: Path) -> None:
    """The promise, the place and what to do are said, and the exit code is 1."""
    story = a_story()
    story.without(story.of_order("x1", "send_marked.1"))
    code, output, _ = verify(a_traded_project(tmp_path, story))
    assert code == BROKEN
    assert "I3  exchange log" in output
    assert "order bw-main-x1: it was never marked in the journal of the executor" in output
    assert "what to do: stop the mesh" in output
    assert "byte by byte" not in output


def test_journal_that_is_not_whole(tmp_path: Path) -> None:
    """Damaged bytes are said with the command that proves them."""
    root = a_traded_project(tmp_path, a_story())
    segment = next((root / "var/journal/executor").glob("*.journal"))
    segment.write_bytes(segment.read_bytes()[:-1] + b"?")
    code, output, _ = verify(root)
    assert code == BROKEN
    assert "I26" in output
    assert "byte by byte with `bowline journal verify executor`" in output


@pytest.mark.parametrize(("broken", "said"), [(False, "kept"), (True, "broken")])
def test_json(tmp_path: Path, *, broken: bool, said: str) -> None:
    """One object holds the verdict, each violation with its place, and what was read and looked at."""
    story = a_story()
    if broken:
        story.of_order("e1", "send_marked.1").set(limit_price="200")
    _, output, _ = verify(a_traded_project(tmp_path, story), "--json")
    answer = json.loads(output)
    assert answer["verdict"] == said
    assert set(answer["checked"]) == set(INVARIANTS)
    places = [(found["invariant"], found["journal"], found["client_id"]) for found in answer["violations"]]
    assert places == ([("I1", "executor", "bw-main-e1")] if broken else [])


def test_nothing_to_judge_is_neither_kept_nor_broken(tmp_path: Path) -> None:
    """Where nothing was ever written down nobody is told that all is well."""
    code, output, _ = verify(a_project(tmp_path))
    assert code == NOT_JUDGED
    assert "nothing was judged" in output
    assert json.loads(verify(tmp_path, "--json")[1])["verdict"] == "nothing was judged"


def test_log_counts_only_where_the_mesh_trades(tmp_path: Path) -> None:
    """The simulated exchange's log says nothing about trading on another venue."""
    root = a_traded_project(tmp_path, a_story(), local="venue: {url: official}\n")
    code, output, _ = verify(root)
    assert code == KEPT
    assert " 0 lines of the exchange's log" in output


def test_wrong_settings_are_said(tmp_path: Path) -> None:
    """With settings that cannot be read nothing is judged, and they are named."""
    code, _, errors = verify(a_project(tmp_path, local="venue: {nme: binance}\n"))
    assert (code, "nme" in errors) == (NOT_JUDGED, True)


def test_verb_is_known() -> None:
    """`bowline verify --help` says what it does and how it ends."""
    answer = bowline("verify", "--help")
    assert answer.returncode == 0
    assert "Exit codes: 0 all kept" in answer.stdout


def test_page_lists_every_promise() -> None:
    """docs/verify.md has each promise in the words that the command uses."""
    page = (CHECKOUT / "docs" / "verify.md").read_text(encoding="utf-8")
    for invariant, promise in INVARIANTS.items():
        assert f"| {invariant} | {promise} |" in page
