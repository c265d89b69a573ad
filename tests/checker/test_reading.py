"""Journals and logs as bytes: what is whole is read, what is not is seen, what was being written is left alone."""

import json
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Final

import msgpack
import pytest

from services.verify.checker.checking import judged
from services.verify.checker.evidence import PREFIX, Evidence, gathered
from services.verify.checker.exchange_log import ExchangeLog, log_of
from services.verify.checker.frames import mark_of
from services.verify.checker.journal import Journal, journal_of
from services.verify.checker.verdict import Verdict
from services.verify.checker.words import WORDS
from tests.checker.life import a_story
from tests.checker.story import Story, client_id
from tests.checker.wire import Said, Written, layouts, word

QUIET: Final = MappingProxyType({"pass_number": 1, "clean": True, "differences": [], "trades_read": []})


def payload(number: int, /, **changes: object) -> bytes:
    """Return a record that says little; its envelope may say something else than it should."""
    said = Said(number, word("reconcile_finished.1", **QUIET))
    for name, value in changes.items():
        setattr(said, name, value)
    return said.frame(number)


def two_segments() -> Written:
    """Return a journal of two segments, with groups of one and of three."""
    journal = Written()
    journal.begin_segment()
    journal.commit(payload(1))
    journal.commit(payload(2), payload(3), payload(4))
    journal.begin_segment(snapshot=b"")
    journal.commit(payload(5), payload(6))
    return journal


def read(journal: Written, files: dict[str, bytes] | None = None, mark: bytes | None = None) -> Journal:
    """Read a journal; its files or its mark may be others."""
    said = mark_of(journal.mark() if mark is None else mark)
    return journal_of("executor", journal.files if files is None else files, said)


def verdict_on(journal: Journal) -> Verdict:
    """Judge a journal alone."""
    return judged(Evidence(executor=journal, risk=None, log=None))


def test_whole_journal_is_read() -> None:
    """Every record of every segment and group comes, in order."""
    journal = read(two_segments())
    assert [record.sequence for record in journal.records] == [1, 2, 3, 4, 5, 6]
    assert [record.group for record in journal.records] == [1, 2, 2, 2, 3, 3]
    assert (journal.troubles, journal.gaps) == ([], [])
    assert verdict_on(journal).violations == ()


def test_every_flipped_byte_is_seen() -> None:
    """Wherever a byte of a segment or of the mark is another, it is said."""
    journal = two_segments()
    for name, content in journal.files.items():
        for place in range(len(content)):
            flipped = content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :]
            assert read(journal, {**journal.files, name: flipped}).troubles, f"{name} at {place}"
    mark = journal.mark()
    for place in range(len(mark)):
        assert read(journal, mark=mark[:place] + bytes([mark[place] ^ 1]) + mark[place + 1 :]).troubles, place


def test_every_cut_is_seen_below_the_mark_and_none_behind_it() -> None:
    """A segment that is shorter than it was is said to be; what was being written behind the mark is not read."""
    journal = two_segments()
    for name, content in journal.files.items():
        for size in range(len(content)):
            assert read(journal, {**journal.files, name: content[:size]}).troubles, f"{name} cut at {size}"
    newest = max(journal.files)
    assert not read(journal, {**journal.files, newest: journal.files[newest] + b"BJr1 half of"}).troubles


def test_segment_that_is_missing_or_another_is_seen() -> None:
    """A segment taken away, put in another's place, or from another journal is said."""
    journal, first, second = two_segments(), *two_segments().files
    files = journal.files
    other = Written()
    other.begin_segment(snapshot=b"other")
    for wrong in ({second: files[second]}, {first: files[first]}, {first: files[second]}, {}):
        assert read(journal, wrong).troubles
    assert read(journal, {first: other.files[first], second: files[second]}).troubles


def test_record_left_out_is_seen_though_the_chain_is_whole() -> None:
    """A writer that leaves a number out is seen, whatever it chained."""
    journal = Written()
    journal.begin_segment()
    journal.commit(payload(1))
    journal.sequence += 1
    journal.commit(payload(3))
    assert "is missing" in read(journal).troubles[0].what


def test_gap_that_is_admitted_is_said_and_no_violation() -> None:
    """Records that an operator gave up are no defect of the bytes; but it is said that they cannot be judged."""
    journal = two_segments()
    journal.gap(20, "the disk was changed")
    journal.commit(payload(21))
    verdict = verdict_on(read(journal))
    assert verdict.violations == ()
    assert any("nothing after record 6 is here: the disk was changed" in what for what in verdict.unchecked)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"number": 7}, "its envelope says number 7"),
        ({"schema": 2}, "its envelope is not as"),
        ({"epoch": -1}, "its envelope is not as"),
        ({"body": ["reconcile_finished.1", 1, 1, [], []]}, "neither true nor false"),
        ({"body": ["reconcile_finished.1", 1, True]}, "has 2 fields, 4 expected"),
        ({"body": ["reconcile_finished.1", True, True, [], []]}, "no whole number"),
        ({"body": ["reconcile_finished.1", 1, True, [1], []]}, "no text"),
        ({"body": ["reconcile_finished.1", -1, True, [], []]}, "no whole number"),
        ({"body": ["reconcile_finished.1", "1", True, [], []]}, "no whole number"),
        ({"body": ["reconcile_finished.1", 1, True, "none", []]}, "is no array"),
        ({"body": ["entry_opened.1", ["approval.2"]]}, "is not the tag approval.1"),
        ({"body": ["entry_opened.1", []]}, "is not the tag approval.1"),
        ({"body": ["condition_cleared.1", "a", [], "ada", ""]}, "is none of everything"),
        ({"body": ["condition_cleared.1", "a", "all", "ada", ""]}, "is none of everything"),
        ({"body": ["condition_cleared.1", "a", ["city"], "ada", ""]}, "is none of everything"),
    ],
)
def test_record_that_is_none_is_seen(changes: dict[str, object], says: str) -> None:
    """An envelope or a body that the page does not allow is said, with its number."""
    journal = Written()
    journal.begin_segment()
    journal.commit(payload(1, **changes))
    found = read(journal).troubles
    assert says in found[0].what
    assert found[0].place.sequence == 1


def test_payload_that_is_spelled_otherwise_is_seen() -> None:
    """Bytes that are no MessagePack, no envelope, or not the one spelling of it are said."""
    said = payload(1)
    two_bytes_for_one = said[:1] + b"\xcc" + said[1:]
    for wrong in (b"\xc1", b"", said + b"\x00", bytes(msgpack.packb([1, 2])), two_bytes_for_one):
        journal = Written()
        journal.begin_segment()
        journal.commit(wrong)
        assert read(journal).troubles[0].invariant == "I12"


def test_word_that_is_not_known_is_counted_and_said() -> None:
    """A message of another version is no violation, but it is said that nobody judged it."""
    journal = Written()
    journal.begin_segment()
    journal.commit(payload(1, body=["kill_latched.9", "latch-1"]))
    verdict = verdict_on(read(journal))
    assert verdict.violations == ()
    assert any("1 records of kill_latched.9" in what for what in verdict.unchecked)


def test_words_are_those_of_the_page() -> None:
    """Each word has the fields of docs/messages.md, by name and in order, and each record of the page is known."""
    for tag, said in WORDS.items():
        assert ["tag", *(field for field in said.__dataclass_fields__ if field != "TAG")] == layouts()[tag]


def log(story: Story, content: bytes | None = None) -> ExchangeLog:
    """Read the story's log, or another in its place."""
    return log_of([("00000001.jsonl", story.log_bytes() if content is None else content)], PREFIX)


def test_line_that_was_cut_never_happened() -> None:
    """At whatever byte the last line ends, those before it count and nothing is wrong."""
    story = a_story()
    content = story.log_bytes()
    last = content.rindex(b"\n", 0, -1) + 1
    for cut in (last, last + 1, len(content) - 1):
        found = log(story, content[:cut])
        assert (found.lines, found.troubles) == (len(story.venue.lines) - 1, [])


def _left_out(lines: list[bytes]) -> list[bytes]:
    return lines[:5] + lines[6:]


def _garbled(lines: list[bytes]) -> list[bytes]:
    return [*lines[:5], b"what?", *lines[6:]]


def _without_opening(lines: list[bytes]) -> list[bytes]:
    return lines[1:]


@pytest.mark.parametrize("damage", [_left_out, _garbled, _without_opening])
def test_log_that_is_not_whole_is_seen(damage: Callable[[list[bytes]], list[bytes]]) -> None:
    """A line that is missing, or none, or a segment without its beginning is said."""
    story = a_story()
    content = b"\n".join(damage(story.log_bytes().split(b"\n")))
    troubles = log(story, content).troubles
    assert troubles
    assert troubles[0].invariant == "I26"


def test_next_segment_says_again_what_was_and_counts_once() -> None:
    """What a second segment carries over was read in the first; where it is the first, it is all there is."""
    story = a_story()
    lines = [{**line, "number": number} for number, line in enumerate(story.venue.lines, start=1)]
    carried = [event for line in lines for event in line.get("events", [])]
    at = {"at_ms": lines[-1]["at_ms"]}
    second = [{"line": "Opened", "carried_over": len(carried), **at}]
    second += [{"line": "CarriedOver", "carried": event, **at} for event in carried]
    second = [{**line, "number": number} for number, line in enumerate(second, start=len(lines) + 1)]
    texts = [b"".join(json.dumps(line).encode() + b"\n" for line in part) for part in (lines, second)]
    both = log_of([("00000001.jsonl", texts[0]), ("00000002.jsonl", texts[1])], PREFIX)
    assert both.troubles == []
    assert (len(both.trades), len(both.transfers)) == (4, 3)
    alone = log_of([("00000002.jsonl", texts[1])], PREFIX)
    assert (alone.troubles, alone.begins_with_nothing, alone.transfers) == ([], False, [])
    assert set(alone.opening) == set(both.balances)


def test_everything_is_read_from_directories(tmp_path: Path) -> None:
    """Journals and log are found where they lie, beside each other, and judged as they are."""
    story = a_story()
    laid_out(story, tmp_path)
    evidence = gathered(
        executor=tmp_path / "executor", risk=tmp_path / "risk", exchange_log=tmp_path / "log", limits=story.limits
    )
    verdict = judged(evidence)
    assert verdict.violations == ()
    assert verdict.read["orders of ours at the exchange"] == 6
    assert client_id("x1") in evidence.at_exchange


def laid_out(story: Story, directory: Path) -> None:
    """Write a story into directories, as the mesh would."""
    for name, journal in story.journals().items():
        place = directory / name
        place.mkdir()
        for file, content in journal.files.items():
            (place / file).write_bytes(content)
        (place / "committed").write_bytes(journal.mark())
    (directory / "log").mkdir()
    (directory / "log" / "00000001.jsonl").write_bytes(story.log_bytes())
