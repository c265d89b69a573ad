"""Whether each position that risk had closed was without a stop, by the executor's own reports and by two readings."""

from typing import Final

from services.verify.checker.evidence import NS_PER_SECOND, Evidence
from services.verify.checker.journal import Journal, Record
from services.verify.checker.risk_words import CoverRead, CoverTripped, EntriesPaused, EntriesResumed, OfSymbol
from services.verify.checker.verdict import Judge
from services.verify.checker.words import PositionChanged, Word

BARE_NS_MIN: Final = 15 * NS_PER_SECOND


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
    """Judge that the executor told the position so, and for how long nothing else."""
    read = record.body
    told = [
        one
        for one in executor.of(PositionChanged)
        if (one.body.strategy, one.body.symbol) == (read.strategy, read.symbol) and one.sequence <= read.report_sequence
    ]
    newest = told[-1] if told else None
    is_told = newest is not None and (newest.sequence, newest.body.quantity) == (read.report_sequence, read.quantity)
    what = f"the executor's report {read.report_sequence} does not say that {read.quantity} {read.symbol} have no stop"
    judge.hold("I16", what, record.place(), holds=is_told and newest is not None and not newest.body.covered_quantity)
    bare_since = None
    for one in told:
        is_bare = one.body.quantity > 0 and not one.body.covered_quantity
        bare_since = (bare_since or one) if is_bare else None
    if bare_since is not None and bare_since.boot_id == record.boot_id:
        most_ns = record.boot_ns - bare_since.boot_ns
        what = f"{read.symbol} is counted to be without a stop for {read.uncovered_ns} ns, and was for {most_ns} ns"
        judge.hold("I16", what, record.place(), holds=read.uncovered_ns <= most_ns)


def _judge_trips(risk: Journal, judge: Judge) -> None:
    runs: dict[tuple[str, str], list[CoverRead]] = {}
    standing: set[tuple[str, str]] = set()
    for record in risk.records:
        match record.body:
            case CoverRead() as read:
                run = runs.setdefault((read.strategy, read.symbol), [])
                if run and not _follows(run[-1], read):
                    run.clear()
                run.append(read)
            case CoverTripped() as trip:
                place = trip.strategy, trip.symbol
                _judge_trip(trip, runs.pop(place, []), record, judge, is_first=place not in standing)
                _judge_pause(trip, record, risk, judge)
                standing.add(place)
            case EntriesResumed(scope=OfSymbol(symbol=symbol)):
                standing = {place for place in standing if place[1] != symbol}
                runs = {place: run for place, run in runs.items() if place[1] != symbol}
            case _:
                pass


def _judge_trip(
    trip: CoverTripped, run: list[CoverRead], record: Record[Word], judge: Judge, *, is_first: bool
) -> None:
    bare = [read for read in run[-2:] if _is_bare(read)]
    what = f"{trip.trip_id} does not rest on two readings in a row that show {trip.symbol} to have no stop"
    judge.hold("I16", what, record.place(), holds=len(bare) > 1 and bare[-1].quantity == trip.quantity)
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


def _is_bare(read: CoverRead) -> bool:
    is_there = 2 * read.free_quantity > read.quantity > 2 * read.locked_quantity
    return is_there and not read.covered_quantity and read.uncovered_ns > BARE_NS_MIN


def _follows(before: CoverRead, read: CoverRead) -> bool:
    is_next = (before.reader_epoch, before.read_number + 1) == (read.reader_epoch, read.read_number)
    return is_next and read.venue_time_ns > before.venue_time_ns
