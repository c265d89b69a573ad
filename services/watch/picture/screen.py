"""The picture on a terminal: what is known, and a size, become lines."""

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from proto.measures import HopsGiven, MeasuresGiven
from services.watch.picture import figures
from services.watch.picture.concerns import about_process, about_symbol, concerns_of, urgency
from services.watch.picture.layout import Line, Span, Tone, clipped_to, printable, shares, text_of
from services.watch.picture.sight import Sight
from services.watch.picture.tables import hops_table, processes_table, symbols_table

DETAILS_MAX: Final = 3
_HEIGHT_LOW: Final = 16
_WIDTH_LOW: Final = 8  # where nothing is wrapped any more, but clipped
_FOOT_LINES: Final = 1
_SECTION_LINES_MIN: Final = 3  # a heading, a row, and how many more there are


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the picture: how many rows it has, and its table, as it is or with what is not well before the rest."""

    name: str
    rows: int
    table: Callable[[], Sequence[Line]]
    urgent_first: Callable[[], Sequence[Line]]

    @property
    def need(self) -> int:
        """Return how many lines it would fill."""
        return 1 + self.rows if self.rows else 1

    def lines(self, room: int) -> Sequence[Line]:
        """Return as much as there is room for, and how much is missing."""
        if not self.rows:
            return [(Span(f"no {self.name}", Tone.FAINT),)]
        if self.need <= room:
            return self.table()
        shown = self.urgent_first()[: room - 1]
        missing = self.rows + 1 - len(shown)
        return [*shown, (Span(f"{missing} more {self.name} do not fit", Tone.FAINT),)]


def screen(sight: Sight, width: int, height: int) -> list[Line]:
    """Return exactly as many lines as the terminal has, none of them wider than it is."""
    sections = _sections(sight, width)
    head = _head(sight, width, details_max=1 if height < _HEIGHT_LOW else DETAILS_MAX)
    room = height - len(head) - _FOOT_LINES
    fitting = sections[: max(room // (1 + _SECTION_LINES_MIN), 0)]
    given = shares([section.need for section in fitting], room - len(fitting))
    lines = [*head, *_body(sight, fitting, given)]
    filling: list[Line] = [()] * (height - _FOOT_LINES - len(lines))
    whole = [*lines, *filling, _foot(sections[len(fitting) :])]
    return [clipped_to(line, width) for line in whole[:height]]


def page(sight: Sight, width: int) -> list[Line]:
    """Return the whole picture, however long it is: for a terminal that is written to once."""
    sections = _sections(sight, width)
    body = _body(sight, sections, [section.need for section in sections])
    return [clipped_to(line, width) for line in (*_head(sight, width, details_max=DETAILS_MAX), *body)]


def _body(sight: Sight, sections: Sequence[Section], given: Sequence[int]) -> list[Line]:
    """Return the sections with a blank line before each; all of it is faint when it is old."""
    lines = [line for section, room in zip(sections, given, strict=True) for line in ((), *section.lines(room))]
    if sight.silence is None:
        return lines
    return [(Span(text_of(line), Tone.FAINT),) for line in lines]


def _head(sight: Sight, width: int, *, details_max: int) -> list[Line]:
    """Return the time, and how things are in a word; below stands what is not well, in so many lines at most."""
    store = "" if sight.measures is None else f"  store {sight.measures.store}"
    verdict, details = _verdict(sight)
    wrapped = textwrap.wrap(printable(details), max(width, _WIDTH_LOW), max_lines=details_max, placeholder=" …")
    return [
        (Span("bowline watch", Tone.HEADING), Span(f"  {figures.clock_time(sight.now_wall_ns)}{store}")),
        (verdict,),
        *((Span(line),) for line in wrapped),
    ]


def _verdict(sight: Sight) -> tuple[Span, str]:
    """Say how things are in a word, and what that is about."""
    if sight.silence is not None:
        since = figures.span(max(sight.now_wall_ns - sight.silence.since_wall_ns, 0))
        old = "" if sight.measures is None else "; below is how it was"
        return Span(f"no answer for {since}{old}", Tone.ALARM), sight.silence.trouble
    if sight.measures is None:
        return Span("asking metrics", Tone.FAINT), ""
    concerns = sorted(concerns_of(sight.measures), key=urgency)
    if not concerns:
        return Span("all well", Tone.WELL), ""
    tone = Tone.ALARM if concerns[0].grave else Tone.WARNING
    return Span(f"not well: {len(concerns)}", tone), "; ".join(concern.words for concern in concerns)


def _sections(sight: Sight, width: int) -> list[Section]:
    if sight.measures is None:
        return []
    return [*_measured(sight.measures, sight, width), *_hopping(sight.hops, width)]


def _measured(measures: MeasuresGiven, sight: Sight, width: int) -> list[Section]:
    symbols, processes = measures.symbols, measures.processes
    urgent_symbols = sorted(symbols, key=lambda symbol: urgency(about_symbol(symbol)))
    urgent_processes = sorted(processes, key=lambda process: urgency(about_process(process)))
    return [
        Section(
            "symbols",
            len(symbols),
            lambda: symbols_table(symbols, sight, width),
            lambda: symbols_table(urgent_symbols, sight, width),
        ),
        Section(
            "processes",
            len(processes),
            lambda: processes_table(processes, width),
            lambda: processes_table(urgent_processes, width),
        ),
    ]


def _hopping(hops: HopsGiven | None, width: int) -> list[Section]:
    if hops is None:
        return []
    rows = hops.hops
    return [Section("hops", len(rows), lambda: hops_table(rows, width), lambda: hops_table(rows, width))]


def _foot(left_out: Sequence[Section]) -> Line:
    names = " and ".join(section.name for section in left_out)
    return (Span("q quits", Tone.FAINT), *([Span(f"  no room for {names}", Tone.FAINT)] if names else []))
