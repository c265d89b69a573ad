"""`bowline risk replay <trip>`: whether the records before a guard's trip lead to it, by the rule that risk keeps."""

import argparse
import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from proto.verdicts import CoverTripped, GuardTripped
from services.inspection.command import FOUND, NOTHING_FOUND, PROJECT, USAGE_ERROR, read_story, streams
from services.inspection.why import time_of
from shared.risk.caps import percent
from shared.risk.covers import CoverReplayed
from shared.risk.covers import replayed as cover_replayed
from shared.risk.guards import Replayed, replayed

AGREES, DISAGREES = FOUND, NOTHING_FOUND


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    parser = argparse.ArgumentParser(prog="bowline risk", description="What risk decided, recomputed from its journal.")
    actions = parser.add_subparsers(dest="action", required=True)
    replay = actions.add_parser("replay", help="recompute a guard's trip; exit code 0 if it is the same, 1 if not")
    replay.add_argument("trip", help="the name of the trip: see `bowline trips`")
    replay.add_argument("--root", type=Path, default=PROJECT, help="project root (this checkout)")
    replay.add_argument("--json", action="store_true", help="as one JSON object")
    arguments = parser.parse_args(argv)
    story = read_story("risk", arguments.root)
    if story is None:
        return USAGE_ERROR
    found = replayed(story.guarded, arguments.trip) or cover_replayed(story.guarded, arguments.trip)
    if found is None:
        trips = (record.body for record in story.guarded if isinstance(record.body, GuardTripped | CoverTripped))
        known = [trip.trip_id for trip in trips]
        known_words = f"known are {', '.join(known)}" if known else "no guard ever tripped"
        streams().complain(f"bowline risk: no guard tripped by the name of {arguments.trip}; {known_words}")
        return USAGE_ERROR
    streams().say(*([json.dumps(_as_object(found))] if arguments.json else _lines(found)))
    return AGREES if found.agrees else DISAGREES


def _lines(found: Replayed | CoverReplayed) -> Iterator[str]:
    yield from _guard_lines(found) if isinstance(found, Replayed) else _cover_lines(found)
    yield "they agree" if found.agrees else "they DISAGREE"


def _as_object(found: Replayed | CoverReplayed) -> dict[str, object]:
    return _guard_as_object(found) if isinstance(found, Replayed) else _cover_as_object(found)


def _guard_lines(found: Replayed) -> Iterator[str]:
    for reading in found.readings:
        epoch, number = reading.number
        books = "nothing" if reading.books_quote is None else f"{reading.books_quote:f}"
        known = "nothing" if reading.known_quote is None else f"{reading.known_quote:f}"
        agreed = "agreed" if reading.agrees else f"not agreed, prices alone made it {known}"
        yield (
            f"{time_of(reading.venue_time_ns)}  reading {epoch}.{number}: equity {reading.equity_quote:f},"
            f" the executor's books say {books}: {agreed}"
        )
    trip, again = found.trip, found.recomputed
    yield f"written:    {_numbers(trip.trip_id, trip.base_quote, trip.floor_quote, trip.equity_quote)}"
    if again is None:
        yield "recomputed: this guard does not trip by these records"
    else:
        yield f"recomputed: {_numbers(again.trip_id, again.base_quote, again.floor_quote, again.equity_quote)}"
    yield f"at a limit of {percent(found.limit)}, as the trip has it"


def _numbers(trip_id: str, base: Decimal, floor: Decimal, equity: Decimal) -> str:
    return f"{trip_id}, from {base:f}, floor {floor:f}, equity {equity:f}"


def _guard_as_object(found: Replayed) -> dict[str, object]:
    trip = found.trip
    return {
        "trip": trip.trip_id,
        "guard": trip.guard,
        "base": f"{trip.base_quote:f}",
        "floor": f"{trip.floor_quote:f}",
        "equity": f"{trip.equity_quote:f}",
        "agrees": found.agrees,
        "recomputed": None if found.recomputed is None else found.recomputed.trip_id,
        "readings": [
            {
                "at": time_of(reading.venue_time_ns),
                "number": ".".join(map(str, reading.number)),
                "equity": f"{reading.equity_quote:f}",
                "books": None if reading.books_quote is None else f"{reading.books_quote:f}",
                "agreed": reading.agrees,
                "by_prices_alone": None if reading.known_quote is None else f"{reading.known_quote:f}",
            }
            for reading in found.readings
        ],
    }


def _cover_lines(found: CoverReplayed) -> Iterator[str]:
    for read in found.readings:
        yield (
            f"{time_of(read.venue_time_ns)}  reading {read.reader_epoch}.{read.read_number}: {read.quantity:f}"
            f" {read.symbol} of {read.strategy} without a stop for {read.uncovered_ns / 1e9:.1f} s by the executor's"
            f" report {read.report_sequence}; {read.free_quantity:f} are free and {read.locked_quantity:f} locked"
        )
    yield f"written:    {found.trip.trip_id}"
    yield f"recomputed: {found.recomputed or 'this guard does not trip by these records'}"


def _cover_as_object(found: CoverReplayed) -> dict[str, object]:
    return {
        "trip": found.trip.trip_id,
        "guard": "cover",
        "strategy": found.trip.strategy,
        "symbol": found.trip.symbol,
        "agrees": found.agrees,
        "recomputed": found.recomputed,
        "readings": [
            {
                "at": time_of(read.venue_time_ns),
                "number": f"{read.reader_epoch}.{read.read_number}",
                "report": read.report_sequence,
                "uncovered_seconds": read.uncovered_ns / 1e9,
                "quantity": f"{read.quantity:f}",
                "free": f"{read.free_quantity:f}",
                "locked": f"{read.locked_quantity:f}",
            }
            for read in found.readings
        ],
    }
