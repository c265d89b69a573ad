"""A life that goes on after `life.py`: a kill that the executor carries out, and one that the flattener has to."""

from collections.abc import Callable
from typing import Any, Final

from tests.checker.life import a_story
from tests.checker.story import SYMBOL, Story
from tests.checker.wire import START_WALL_NS, Said, word

TAKEN_EPOCH: Final = 9
NEXT_LIFE: Final = 10
FIRST: Final = "kill-1"
SECOND: Final = "kill-2"
EVERYTHING: Final = ["everything"]
OF_THE_FLATTENER: Final = "flattener-"  # and the number of a record: what an adopted one comes of


def a_killed_story() -> Story:
    """Return the life in which both kills end flat, and every promise is kept."""
    story = a_story()
    _bought(story, 12_000, 7)
    _killed(story, 12_500, FIRST)
    _flattened_by_the_executor(story)
    _cleared(story, 13_000)
    _bought(story, 14_000, 8)
    _killed(story, 14_500, SECOND)
    _flattened_by_the_flattener(story)
    _adopted(story)
    return story


def _bought(story: Story, at_ms: int, number: int) -> None:
    entry, cover = f"e{number}", f"c{number}"
    story.approve(at_ms, number)
    story.send(at_ms + 60, entry, f"a{number}", "0.5", limit="101")
    story.fill(at_ms + 70, entry, "0.5", "100", ("0.05", "USDT"))
    story.ended(at_ms + 81, entry, "filled", "0.5", "100")
    story.position(at_ms + 82, "0.5")
    story.end_entry(at_ms + 83, number, "0.5")
    story.send(at_ms + 90, cover, f"cover-{number}", "0.5", stop="95")
    story.position(at_ms + 111, "0.5", "0.5")


def _killed(story: Story, at_ms: int, latch_id: str) -> None:
    latch = word("Latch", latch_id=latch_id, actor="ada", reason="it looks wrong", set_wall_ns=START_WALL_NS)
    story.risk_says(at_ms, "kill_latched.1", latch=latch)
    held = word("Condition", name="kill_latch", scope=EVERYTHING, permission="HALTED", reason=latch_id)
    story.says(at_ms + 1, "condition_set.1", condition=held)
    story.says(at_ms + 1, "flatten_begun.1", flatten_id=latch_id, symbol=None, actor="ada", reason="it looks wrong")


def _sold(story: Story, at_ms: int, number: int) -> None:
    exit_id = f"exit-{number}"
    opened = {"exit_id": exit_id, "strategy": "trend", "symbol": SYMBOL, "target_quantity": "0"}
    story.says(at_ms, "exit_opened.1", **opened, asked_by="kill", reason="the kill latch")
    story.cancel(at_ms + 10, f"c{number}")
    story.send(at_ms + 40, f"x{number}", exit_id, "0.5")
    story.fill(at_ms + 65, f"x{number}", "0.5", "101", ("0.0505", "USDT"))
    story.ended(at_ms + 76, f"x{number}", "filled", "0.5", "101")
    story.position(at_ms + 77, "0")
    ended = {"exit_id": exit_id, "strategy": "trend", "symbol": SYMBOL, "quantity_left": "0", "reason": "reached"}
    story.says(at_ms + 78, "exit_ended.1", **ended)


def _flat(story: Story, at_ms: int, latch_id: str) -> None:
    story.reconcile(at_ms)
    story.says(at_ms + 1, "flatness_told.1", flatten_id=latch_id, is_flat=True, pass_number=1, reason="")


def _flattened_by_the_executor(story: Story) -> None:
    _sold(story, 12_510, 7)
    _flat(story, 12_700, FIRST)


def _cleared(story: Story, at_ms: int) -> None:
    why = {"actor": "ada", "reason": "it was the feed"}
    story.risk_says(at_ms, "kill_cleared.1", latch_id=FIRST, **why)
    story.says(at_ms + 1, "condition_cleared.1", name="kill_latch", scope=EVERYTHING, **why)
    story.executor[-1].cause = FIRST


def _flattened_by_the_flattener(story: Story) -> None:
    """Let it do what the executor would have done, in a journal of its own."""
    own, story.executor = story.executor, []
    _sold(story, 16_000, 8)
    _flat(story, 16_200, SECOND)
    taken = {"instance": "executor", "epoch": TAKEN_EPOCH}
    story.flattener.append(_by_the_flattener(15_900, word("role_taken.1", **taken, reason="it is silent")))
    story.flattener += [_by_the_flattener(said.at_ms, said.body) for said in story.executor]
    story.flattener.append(_by_the_flattener(16_300, word("role_returned.1", **taken, reason="it is flat")))
    story.executor = own


def _by_the_flattener(at_ms: int, body: list[Any]) -> Said:
    return Said(at_ms, body, sender="flattener", epoch=3)


def _adopted(story: Story) -> None:
    """Let the executor's next life write all of that into its own journal."""
    for number, said in enumerate(story.flattener, start=1):
        if said.tag not in {"role_taken.1", "role_returned.1"}:
            copy = Said(17_000, list(said.body), epoch=NEXT_LIFE, cause=f"{OF_THE_FLATTENER}{number}")
            story.executor.append(copy)
    story.epoch = NEXT_LIFE
    story.reconcile(17_100)


def adopted(story: Story, place: int) -> Said:
    """Return a record that the executor adopted."""
    return [said for said in story.executor if said.cause.startswith(OF_THE_FLATTENER)][place]


def told_flat(story: Story, latch_id: str) -> Said:
    """Return what says that it is flat."""
    said = [*story.executor, *story.flattener]
    return next(one for one in said if one.tag == "flatness_told.1" and one.get("flatten_id") == latch_id)


Break = Callable[[Story], object]
