"""Holds `docs/order-life.md` to the code: its picture and its tables are written from the table itself.

`python -m tests.shared.trading.order_life_page` rewrites the part of the page between the markers; the rest is ours.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final, get_args

from shared.trading.order_life import EVENTS, STATES, TABLE, TERMINAL, Event, State

PAGE: Final = Path(__file__).parents[3] / "docs" / "order-life.md"
BEGIN: Final = "<!-- written from the code: begin -->\n"
END: Final = "<!-- written from the code: end -->\n"


def _picture() -> str:
    arrows: dict[tuple[State, State], list[Event]] = {}
    for state, row in TABLE.items():
        for event, following in row.items():
            if following != state:
                arrows.setdefault((state, following), []).append(event)
    lines = ["[*] --> marked"]
    lines += [f"{state} --> {following}: {', '.join(events)}" for (state, following), events in arrows.items()]
    lines += [f"{state} --> [*]" for state in get_args(State) if state in TERMINAL]
    return "```mermaid\nstateDiagram-v2\n" + "".join(f"    {line}\n" for line in lines) + "```\n"


def _table() -> str:
    states: tuple[State, ...] = get_args(State)
    events: tuple[Event, ...] = get_args(Event)
    header = "| event | " + " | ".join(states) + " |\n" + "|---" * (len(states) + 1) + "|\n"
    rows = (f"| **{event}** | " + " | ".join(_cell(state, event) for state in states) + " |\n" for event in events)
    return header + "".join(rows)


def _cell(state: State, event: Event) -> str:
    following = TABLE[state].get(event)
    if following is None:
        return ""
    return "stays" if following == state else f"→ {following}"


def _words(heading: str, words: Iterable[tuple[str, str]]) -> str:
    return f"| {heading} | what it means |\n|---|---|\n" + "".join(f"| {name} | {said} |\n" for name, said in words)


def written_part() -> str:
    """Everything the page says that the code knows."""
    return (
        f"## The states\n\n{_words('state', STATES.items())}\n"
        f"## The events\n\n{_words('event', EVENTS.items())}\n"
        f"## The way, without what changes nothing\n\n{_picture()}\n"
        f"## The whole table\n\nAn empty cell is a contradiction and raises.\n\n{_table()}"
    )


def with_written_part(page: str) -> str:
    """Put the written part between the markers of a page."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}{written_part()}{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_written_part(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
