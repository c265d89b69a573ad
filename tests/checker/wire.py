"""Journals written by the pages alone: what docs/messages.md and docs/journal.md say, and nothing of ours.

The checker that these feed is judged by them, so they share no code with it either.
"""

import datetime as dt
import functools
import re
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

import msgpack

from tests.house.tree import CHECKOUT

HEADER, HEAD, MARK = struct.Struct("<4sIQHH"), struct.Struct("<QQ32s32s10s32s"), struct.Struct("<4sQQQ32sI")
NS_PER_MS: Final = 1_000_000
START_WALL_NS: Final = 1_790_000_000_000 * NS_PER_MS
START_BOOT_NS: Final = 86_400_000 * NS_PER_MS
BOOT: Final = "boot-1"

_SECTION: Final = re.compile(r"^####? `(\w+)`(?: version (\d+))?\n(.*?)(?=^#|\Z)", re.MULTILINE | re.DOTALL)
_ROW: Final = re.compile(r"^\| \d+ \| (`?)(\w+)\1 \| (.*) \|$", re.MULTILINE)
_NESTED: Final = {"order": "OrderKey", "approval": "approval.1", "intent": "enter_bracket.1", "condition": "Condition"}


@functools.cache
def layouts() -> Mapping[str, Sequence[str]]:
    """Return the fields of every message and part in their order, `tag` among them, as the page lays them out."""
    page = (CHECKOUT / "docs" / "messages.md").read_text(encoding="utf-8")
    return {
        f"{name}.{version}" if version else name: [row[1] for row in _ROW.findall(table)]
        for name, version, table in _SECTION.findall(page)
    }


def word(name: str, /, **values: Any) -> list[Any]:  # noqa: ANN401 -- the fields of any message
    """Lay a message or a part out by the names of its fields; its tag is its name."""
    fields = layouts()[name]
    given = {"tag": name, **values} if "tag" in fields else values
    assert set(given) == set(fields), f"{name}: {set(given) ^ set(fields)}"
    return [given[key] for key in fields]


@dataclass
class Said:
    """A record to be: its body, and what its envelope says. `at_ms` counts from the beginning of the story."""

    at_ms: int
    body: list[Any]
    sender: str = "executor"
    epoch: int = 7
    boot_id: str = BOOT
    schema: int = 1
    number: int | None = None  # None: the journal's own
    cause: str = "cause"

    @property
    def tag(self) -> str:
        """Return which message it is."""
        return str(self.body[0])

    def get(self, path: str) -> Any:  # noqa: ANN401 -- a field of any message
        """Return a field by its name, `order.purpose` within a part."""
        array, place = self._place(path)
        return array[place]

    def set(self, **values: Any) -> None:  # noqa: ANN401 -- the same
        """Change fields; `order__purpose` names one within a part."""
        for path, value in values.items():
            array, place = self._place(path.replace("__", "."))
            array[place] = value

    def _place(self, path: str) -> tuple[list[Any], int]:
        array, layout = self.body, layouts()[self.tag]
        *parts, name = path.split(".")
        for part in parts:
            array, layout = array[layout.index(part)], layouts()[_NESTED[part]]
        return array, layout.index(name)

    def frame(self, number: int) -> bytes:
        """Return the envelope as it is written."""
        envelope = word(
            "Envelope",
            schema=self.schema,
            sender=self.sender,
            epoch=self.epoch,
            sequence=number if self.number is None else self.number,
            id=f"{self.sender}-{number}",
            cause_id=self.cause,
            sent_wall_ns=START_WALL_NS + self.at_ms * NS_PER_MS,
            boot_id=self.boot_id,
            sent_boot_ns=START_BOOT_NS + self.at_ms * NS_PER_MS,
            expires_boot_ns=None,
            body=self.body,
        )
        return bytes(msgpack.packb(envelope))


STATE: Final = b'{"account": "sim/simulated/main"}'  # as far as the checker reads it


@dataclass
class Written:
    """A journal being written: segments by name, and where the next frame is chained to."""

    files: dict[str, bytes] = field(default_factory=dict)
    link: bytes = bytes(32)
    record_digest: bytes = bytes(32)
    sequence: int = 0

    def begin_segment(self, *, snapshot: bytes = STATE) -> None:
        """Begin the next segment, with a state at its head."""
        number = len(self.files) + 1
        date = (dt.date(2026, 9, 20) + dt.timedelta(days=number)).isoformat()
        before = len(self.files[max(self.files)]) if self.files else 0
        head = HEAD.pack(number, before, self.link, self.record_digest, date.encode(), sha256(snapshot).digest())
        self.files[f"{number:08}-{date}.journal"] = b""
        self._frame(b"BJh1", self.sequence, (0, 1), head + snapshot)

    def commit(self, *payloads: bytes) -> None:
        """Append records that become durable together."""
        for position, payload in enumerate(payloads):
            self.sequence += 1
            self._frame(b"BJr1", self.sequence, (position, len(payloads)), payload)
            self.record_digest = self.link

    def gap(self, number: int, reason: str) -> None:
        """Admit that the records up to a number are lost."""
        payload = struct.pack("<QH", self.sequence, 0) + reason.encode()
        self.sequence = number
        self._frame(b"BJg1", number, (0, 1), payload)
        self.record_digest = self.link

    def mark(self) -> bytes:
        """Return the mark that says all of it is durable."""
        newest = max(self.files)
        said = MARK.pack(b"BJm1", int(newest[:8]), len(self.files[newest]), self.sequence, self.record_digest, 0)[:-4]
        return said + struct.pack("<I", zlib.crc32(said))

    def _frame(self, tag: bytes, sequence: int, place: tuple[int, int], payload: bytes) -> None:
        chained = HEADER.pack(tag, len(payload), sequence, *place) + payload
        self.link = sha256(self.link + chained).digest()
        covered = chained + self.link
        self.files[max(self.files)] += covered + struct.pack("<I", zlib.crc32(covered))


def written(said: Sequence[Said], *, state: bytes = STATE) -> Written:
    """Write records as a journal, each in a group of its own, behind a page that begins with a state."""
    journal = Written()
    journal.begin_segment(snapshot=state)
    for number, record in enumerate(said, start=1):
        journal.commit(record.frame(number))
    return journal
