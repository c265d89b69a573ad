"""Holds `docs/messages.md` to the code: its tables are written from the messages themselves.

`python -m tests.proto.messages_page` rewrites the part of the page between the markers; the prose around it is ours.
"""

from itertools import groupby
from pathlib import Path
from typing import Final

import msgspec

from proto.envelope import Envelope, MarketEnvelope
from proto.schema import parts_of, schema_digest, shapes_of
from proto.topics import TOPICS, Topic

PAGE: Final = Path(__file__).parents[2] / "docs" / "messages.md"
BEGIN: Final = "<!-- written from the code: begin -->\n"
END: Final = "<!-- written from the code: end -->\n"


def _docstring(struct: type[msgspec.Struct]) -> str:
    lines = (struct.__doc__ or "").strip().splitlines()
    return " ".join(line.strip() for line in lines).replace("  ", "\n\n")


def _table(struct: type[msgspec.Struct], first_position: int) -> str:
    rows = [
        f"| {position} | `{name}` | {shape.words} |\n"
        for position, (name, shape) in enumerate(shapes_of(struct).items(), start=first_position)
    ]
    return "| position | field | on the wire |\n|---|---|---|\n" + "".join(rows)


def _envelope(struct: type[msgspec.Struct]) -> str:
    body_position = len(struct.__struct_fields__) - 1
    body_row = f"| {body_position} | `body` | the message: its tag, then its fields |\n"
    return f"### `{struct.__name__}`\n\n{_docstring(struct)}\n\n{_table(struct, 0)}{body_row}\n"


def _message(topic: Topic) -> str:
    kind, _, version = topic.tag.rpartition(".")
    senders = ", ".join(sorted(topic.senders)) or "nobody: it stays inside its process"
    return (
        f"#### `{kind}` version {version}\n\n{_docstring(topic.message)}\n\n"
        f"Delivered as *{topic.delivery}*; sent by: {senders}.\n\n"
        f"| position | field | on the wire |\n|---|---|---|\n| 0 | tag | `{topic.tag}` |\n"
        + _table(topic.message, 1).split("|---|---|---|\n")[1]
        + "\n"
    )


def _part(struct: type[msgspec.Struct]) -> str:
    tag = struct.__struct_config__.tag
    tag_row = f"| 0 | tag | `{tag}` |\n" if tag else ""
    table = _table(struct, 1 if tag else 0).replace("|---|---|---|\n", f"|---|---|---|\n{tag_row}")
    return f"#### `{struct.__name__}`\n\n{_docstring(struct)}\n\n{table}\n"


def written_part() -> str:
    """Everything the page says that the code knows."""
    parts: dict[type[msgspec.Struct], None] = {}
    for topic in TOPICS:
        parts |= dict.fromkeys(parts_of(topic.message))
    sockets = "".join(
        f"### Socket `{socket}`\n\n" + "".join(_message(topic) for topic in topics)
        for socket, topics in groupby(TOPICS, key=lambda topic: topic.socket)
    )
    return (
        f"Schema digest: `{schema_digest()}`\n\n"
        "## The envelopes\n\n"
        + _envelope(Envelope)
        + _envelope(MarketEnvelope)
        + "## The messages\n\n"
        + sockets
        + "## The parts\n\nPieces that messages are made of: each a positional array inside its message.\n\n"
        + "".join(_part(part) for part in parts)
    ).rstrip("\n") + "\n"


def with_written_part(page: str) -> str:
    """Put the written part between the markers of a page."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}{written_part()}{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_written_part(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
