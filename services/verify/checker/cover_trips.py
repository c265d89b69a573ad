"""Whether each position that risk had closed was without a stop, by the executor's own reports and by two readings."""

from collections.abc import Sequence
from typing import Final

from services.verify.checker.evidence import NS_PER_SECOND, Evidence
from services.verify.checker.journal import Journal, Record
from services.verify.checker.risk_words import CoverRead, CoverTripped, EntriesPaused, EntriesResumed, OfSymbol
from services.verify.checker.verdict import Judge
from services.verify.checker.words import ExitEnded, ExitOpened, PositionChanged, Word

BARE_NS_MIN: Final = 15 * NS_PER_SECOND
BEHIND_NS_MAX: Final = 3 * NS_PER_SECOND  # so old a report is known to risk


def judge_cover_trips(evidence: Evidence, judge: Judge) -> None:
    """Judge the trips by risk's journal, and what they rest on by the executor's."""
    risk, executor = evidence.risk, evidence.written["executor"]
    if risk is None:
        return
    if executor is not None and not executor.gaps:
        for read in risk.of(CoverRead):
            _judge_read(read, executor, judge)
    if risk.gaps and risk.of(CoverTripped):
        judge.skip("risk's journal has a hole: what the positions it had closed rest on is not reckoned anew (I16)")
        return
    _judge_trips(risk, judge)


def _judge_read(record: Record[CoverRead], executor: Journal, judge: Judge) -> None:
    """Judge that the executor told the position so, for so long, and did nothing about it that risk could know."""
    read = record.body
    told = [one for one in executor.of(PositionChanged) if (one.body.strategy, one.body.symbol) == _place(read)]
    until = [one for one in told if one.sequence <= read.report_sequence]
    newest = until[-1] if until else None
    is_told = newest is not None and newest.sequence == read.report_sequence and _says(newest.body, read)
    what = f"the executor's report {read.report_sequence} does not say that {read.quantity} {read.symbol} lack a stop"
    judge.hold("I16", what, record.place(), holds=is_told)
    later = [one for one in told if one.sequence > read.report_sequence and _was_known(one, record)]
    what = f"the executor's report {read.report_sequence} on {read.symbol} was not the newest that risk knew"
    judge.hold("I16", what, record.place(), holds=not later)
    what = f"{read.symbol} was being brought down when risk counted it as left without a stop"
    judge.hold("I16", what, record.place(), holds=not _is_leaving(read, record, executor))
    since = _bare_since(until)
    if since is not None and since.boot_id == record.boot_id:
        most_ns = record.boot_ns - since.boot_ns
        what = f"{read.symbol} is counted to be without a stop for {read.uncovered_ns} ns, and was for {most_ns} ns"
        judge.hold("I16", what, record.place(), holds=read.uncovered_ns <= most_ns)


def _says(told: PositionChanged, read: CoverRead) -> bool:
    is_it = (told.quantity, told.covered_quantity) == (read.quantity, read.covered_quantity)
    return is_it and told.covered_quantity < told.quantity


def _was_known(told: Record[Word], record: Record[CoverRead]) -> bool:
    return told.boot_id == record.boot_id and told.boot_ns < record.boot_ns - BEHIND_NS_MAX


def _is_leaving(read: CoverRead, record: Record[CoverRead], executor: Journal) -> bool:
    """Tell whether an exit was open, by what risk could know."""
    opened: set[str] = set()
    for one in executor.records:
        match one.body:
            case ExitOpened() as exit_ if (exit_.strategy, exit_.symbol) == _place(read) and _was_known(one, record):
                opened = {exit_.exit_id}  # a lower one takes the place of the one before
            case ExitEnded(exit_id=exit_id) if one.boot_ns <= record.boot_ns:
                opened.discard(exit_id)
            case _:
                pass
    return bool(opened)


def _bare_since(told: Sequence[Record[PositionChanged]]) -> Record[PositionChanged] | None:
    since = None
    for one in told:
        since = (since or one) if one.body.quantity > one.body.covered_quantity else None
    return since


def _judge_trips(risk: Journal, judge: Judge) -> None:
    runs: dict[tuple[str, str], list[CoverRead]] = {}
    standing: set[tuple[str, str]] = set()
    for record in risk.records:
        match record.body:
            case CoverRead() as read:
                run = runs.setdefault(_place(read), [])
                if run and not _follows(run[-1], read):
                    run.clear()
                run.append(read)
            case CoverTripped() as trip:
                _judge_trip(trip, runs.pop(_place(trip), []), record, judge, is_first=_place(trip) not in standing)
                _judge_pause(trip, record, risk, judge)
                standing.add(_place(trip))
            case EntriesResumed(scope=OfSymbol(symbol=symbol)):
                standing = {place for place in standing if place[1] != symbol}
                runs = {place: run for place, run in runs.items() if place[1] != symbol}
            case _:
                pass


def _judge_trip(
    trip: CoverTripped, run: list[CoverRead], record: Record[Word], judge: Judge, *, is_first: bool
) -> None:
    bare = [read for read in run[-2:] if _is_bare(read)]
    is_its = len(bare) > 1 and (bare[-1].quantity, _name(bare[-1])) == (trip.quantity, trip.trip_id)
    what = f"{trip.trip_id} does not rest on two readings in a row that show {trip.symbol} to lack a stop"
    judge.hold("I16", what, record.place(), holds=is_its)
    what = f"{trip.trip_id} trips for {trip.symbol} of {trip.strategy}, which nobody has resumed since it tripped last"
    judge.hold("I16", what, record.place(), holds=is_first)


def _judge_pause(trip: CoverTripped, record: Record[Word], risk: Journal, judge: Judge) -> None:
    """Judge that its symbol is paused in the same breath."""
    is_paused = any(
        (one.sequence, one.cause_id, one.body.scope) == (record.sequence + 1, trip.trip_id, OfSymbol(trip.symbol))
        for one in risk.of(EntriesPaused)
    )
    what = f"{trip.trip_id} does not pause {trip.symbol} at once"
    judge.hold("I13", what, record.place(), holds=is_paused)


def _place(told: CoverRead | CoverTripped) -> tuple[str, str]:
    return told.strategy, told.symbol


def _name(read: CoverRead) -> str:
    return f"trip-cover-{read.reader_epoch}-{read.read_number}-{read.report_sequence}"


def _is_bare(read: CoverRead) -> bool:
    bare = read.quantity - read.covered_quantity
    beyond = read.locked_quantity - read.covered_quantity - read.elsewhere_quantity
    return read.free_quantity * 2 > bare > beyond * 2 and read.uncovered_ns > BARE_NS_MIN


def _follows(before: CoverRead, read: CoverRead) -> bool:
    is_next = (before.reader_epoch, before.read_number + 1) == (read.reader_epoch, read.read_number)
    return is_next and read.venue_time_ns > before.venue_time_ns
