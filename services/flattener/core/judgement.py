"""When the flattener acts for the executor, and for what. Pure.

It acts only where there is need: what shall be flat is not, and the executor makes no progress with it; or something is
held that no stop covers, and the executor has not been heard for long. A crash and a restart need nobody. Nor does a
venue that refuses: an executor that moves, and says NOT FLAT, does all that can be done.

Before it acts it looks into the executor's journal, for that says what there is to do, and whether the executor lives
though it is not heard. One look is enough for each of these needs: to read a large journal may itself take so long that
all silence is counted anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from proto.fields import Symbol
from proto.risk import Latch
from services.flattener.core.peer import SECOND_NS
from shared.core.booting import BOOT_NS
from shared.execution.books import Books
from shared.trading.amounts import EXACT, ZERO
from shared.trading.instruments import Instrument

# For how long it may be silent under the latch, by what it was last heard to do. A restart fits into that.
SILENT_NS: Final[Mapping[str, int]] = {
    "running": 6 * SECOND_NS,
    "booting": 6 * SECOND_NS,
    "draining": 15 * SECOND_NS,
}
IGNORED_NS: Final = 3 * SECOND_NS  # within which the latch has to be in its journal
STEPLESS_NS: Final = 10 * SECOND_NS
QUIET_NS: Final = 35 * SECOND_NS  # it says NOT FLAT every half a minute
UNCOVERED_NS: Final = 15 * SECOND_NS


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """What is seen at one moment. The executor's silence is counted from its last progress."""

    watched_ns: int  # for how long we are there ourselves: who starts beside us has that time too
    latch: Latch | None
    latched_ns: int  # for how long the latch has been seen to stand
    state: str
    silent_ns: int
    stepless_ns: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """What the executor's journal says, with what we did ourselves: by the latch that stands, and of what is held."""

    has_begun: bool = False  # to flatten for this latch, or has lifted it
    is_done: bool = False  # it is told to be flat, or lifted
    uncovered: tuple[Symbol, ...] = ()
    quiet_ns: int = 0  # how old its newest record is


@dataclass(frozen=True, slots=True)
class Need:
    """Why the role is to be taken, and which symbols are to be closed beside what the latch wants closed."""

    reason: str
    symbols: tuple[Symbol, ...] = ()


def worth_a_look(sight: Sight, known: Found) -> bool:
    """Say whether there is reason to look into the journal, by what was found there last."""
    return _why(sight, known) is not None or _is_gone(sight)


def need(sight: Sight, found: Found) -> Need | None:
    """Return why to act, by what was just found; None where nobody is needed."""
    reason = _why(sight, found)
    quiet_ns = min(found.quiet_ns, sight.watched_ns)
    if reason is not None and _is_idle(sight, found, quiet_ns):
        return Need(reason)
    if _is_gone(sight) and found.uncovered and quiet_ns >= UNCOVERED_NS:
        held = ", ".join(found.uncovered)
        return Need(
            f"{held} is not covered, and the executor is silent for {_seconds(sight.silent_ns)}", found.uncovered
        )
    return None


def found_in(books: Books, latch: Latch | None, instruments: Mapping[Symbol, Instrument], *, quiet_ns: int) -> Found:
    """Return what the books say that matters here."""
    flattens = books.flattens
    is_known = latch is not None and flattens.is_known(latch.latch_id)
    is_lifted = latch is not None and flattens.is_lifted(latch.latch_id)
    standing = None if flattens.latch is None else flattens.going[flattens.latch.latch_id]
    return Found(
        has_begun=is_known,
        is_done=is_lifted or (is_known and standing is not None and standing.is_flat),
        uncovered=tuple(_uncovered(books, instruments)),
        quiet_ns=quiet_ns,
    )


def _why(sight: Sight, found: Found) -> str | None:
    """Say why it seems that nobody flattens for the latch."""
    if sight.latch is None or found.is_done:
        return None
    if _is_starting(sight):
        return None
    if _is_silent(sight):
        return f"the kill latch stands, and the executor is silent for {_seconds(sight.silent_ns)}"
    if not found.has_begun:
        moved_ns = sight.latched_ns - sight.silent_ns  # for so long it did something else under the latch
        if moved_ns < (SILENT_NS[sight.state] if sight.state == "booting" else IGNORED_NS):
            return None
        return f"the executor has not begun to flatten within {_seconds(sight.latched_ns)} of the kill latch"
    if sight.stepless_ns < STEPLESS_NS or sight.latched_ns < STEPLESS_NS:
        return None
    return f"the executor takes no step of flattening for {_seconds(sight.stepless_ns)}"


def _is_idle(sight: Sight, found: Found, quiet_ns: int) -> bool:
    """Say whether the journal bears it out: who writes is alive, whether we hear him or not."""
    if _is_silent(sight):
        return quiet_ns >= SILENT_NS[sight.state]
    return not found.has_begun or quiet_ns >= QUIET_NS


def _is_silent(sight: Sight) -> bool:
    return sight.silent_ns >= SILENT_NS[sight.state]


def _is_starting(sight: Sight) -> bool:
    """Say whether it may have begun when we did, as at every start of the whole: then it is only on its way."""
    return sight.state == "booting" and sight.watched_ns < BOOT_NS


def _is_gone(sight: Sight) -> bool:
    """Say whether nobody would place a stop or sell."""
    return sight.silent_ns >= UNCOVERED_NS + (0 if sight.state == "running" else BOOT_NS)


def _uncovered(books: Books, instruments: Mapping[Symbol, Instrument]) -> Sequence[Symbol]:
    """Return the symbols of which more is held than stops cover, or of which more may be bought any moment."""
    found: dict[Symbol, None] = {}
    for strategy, symbol in books.places():
        working = [order for order in books.working((strategy, symbol)) if not order.is_in_doubt]
        covered = sum((order.open_quantity for order in working if order.key.purpose == "cover"), ZERO)
        bare = EXACT.subtract(books.positions.of(strategy, symbol).owned, covered)
        instrument = instruments.get(symbol)
        least = ZERO if instrument is None else max(instrument.quantity_min, instrument.quantity_step)
        is_entered = books.is_entered((strategy, symbol))
        if is_entered or (bare > 0 and bare >= least):
            found[symbol] = None
    return tuple(found)


def _seconds(ns: int) -> str:
    return f"{ns / SECOND_NS:.0f} s"
