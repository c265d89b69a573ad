"""The page on the journal, held to the code: the reader printed there reads real journals, and refuses bad ones."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from shared.mesh.journal import Kind, RealDisk, resume_above
from shared.mesh.journal import record as layout
from tests.shared.mesh.journal.journals import NEXT_DAY, a_journal, a_real_disk, an_opening, commit, numbered
from tests.shared.mesh.settings.projects import CHECKOUT

PAGE = (CHECKOUT / "docs" / "journal.md").read_text(encoding="utf-8")
PROGRAM = """
import sys
from reader import records
for sequence, payload in records(sys.argv[1]):
    sys.stdout.write(f"{sequence} {payload.hex()}" + chr(10))
"""


def read(directory: Path) -> subprocess.CompletedProcess[str]:
    """Run the page's reader, by itself and without anything of ours, over a journal."""
    place = directory.parent / "elsewhere"
    place.mkdir(exist_ok=True)
    found = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    (place / "reader.py").write_text(found[1])
    command = [sys.executable, "-I", "-c", f"import sys; sys.path = [{str(place)!r}, *sys.path]\n{PROGRAM}"]
    return subprocess.run([*command, str(directory)], capture_output=True, text=True, check=False, timeout=90)


def test_the_reader_on_the_page_reads_a_real_journal(tmp_path: Path) -> None:
    """It gives every record of a journal with groups, several segments, an empty one and a gap, in order."""
    disk = a_real_disk(tmp_path)
    journal = a_journal(disk, numbered(3), numbered(2, start=4))
    journal.begin_segment(date=NEXT_DAY, state=b"five")
    journal.begin_segment(date="2026-03-03", state=b"five")
    commit(journal, numbered(4, start=6))
    journal.append(b"not committed")
    journal.close()
    result = read(tmp_path / "journal")
    lines = [line.split() for line in result.stdout.splitlines()]
    assert result.returncode == 0, result.stderr
    assert [(int(number), bytes.fromhex(payload)) for number, payload in lines] == list(enumerate(numbered(9), start=1))
    (tmp_path / "journal" / "00000003-2026-03-03.journal").unlink()
    resume_above(an_opening(disk), above=20, reason="lost").close()
    lines = [line.split() for line in read(tmp_path / "journal").stdout.splitlines()]
    assert [int(number) for number, _ in lines] == [1, 2, 3, 4, 5, 21]
    assert bytes.fromhex(lines[-1][1]).endswith(b"lost")


@pytest.mark.parametrize("place", [0.1, 0.4, 0.6, 0.99])
def test_the_reader_on_the_page_refuses_damage(place: float, tmp_path: Path) -> None:
    """A byte flipped anywhere stops it."""
    a_journal(RealDisk(tmp_path / "journal"), numbered(9)).close()
    file = tmp_path / "journal" / "00000001-2026-03-01.journal"
    content = bytearray(file.read_bytes())
    content[int(len(content) * place)] ^= 1
    file.write_bytes(content)
    result = read(tmp_path / "journal")
    assert result.returncode == 1
    assert "Error" in result.stderr


def test_the_reader_on_the_page_is_short() -> None:
    """It stays a page's worth: at most forty lines of code."""
    found = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    assert len([line for line in found[1].splitlines() if line.strip()]) <= 40


def test_the_page_names_everything_that_can_be_found() -> None:
    """Every kind of finding stands on the page, and every tag, and the bounds as they are."""
    for word in (*Kind, *(tag.decode() for tag in (layout.HEAD, layout.RECORD, layout.GAP)), "BJm1"):
        assert f"`{word}`" in PAGE
    assert "Payload 64 KiB; snapshot 16 MiB; group 4,096 records and 4 MiB" in PAGE
    assert (layout.PAYLOAD_BYTES_MAX, layout.SNAPSHOT_BYTES_MAX) == (64 * 1024, 16 * 1024 * 1024)
    assert (layout.GROUP_RECORDS_MAX, layout.GROUP_BYTES_MAX) == (4096, 4 * 1024 * 1024)
    assert (layout.REASON_BYTES_MAX, layout.FORGIVEN_MAX) == (1024, 16)
