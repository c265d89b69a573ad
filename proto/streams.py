"""Where a stream stands, how its readers catch up, and how a request is turned away.

A snapshot and a tail carry further frames behind their envelope, one part each: the latest frame of every topic, or the
records.
"""

from typing import Annotated

from msgspec import Meta

from proto.fields import Count, Id, Message, Name, Part, ShortText, Text

TOPICS_MAX = 1_200  # fifty symbols in twenty kinds, and room; with the longest names they still fit an envelope
TAIL_RECORDS_MAX = 1_000


class StreamPosition(Part, frozen=True):
    """A place in a stream: the publisher's epoch and a number in it, 0 when nothing was published yet."""

    stream: Id
    epoch: Count
    sequence: Count


class AskSnapshot(Message, frozen=True, tag="ask_snapshot.1"):
    """Ask a publisher how far the topics with this prefix have come, and for the latest frame of each."""

    topic_prefix: ShortText


class SnapshotGiven(Message, frozen=True, tag="snapshot_given.1"):
    """The positions of the topics asked for. The n-th part behind this envelope is the latest frame of the n-th."""

    positions: Annotated[tuple[StreamPosition, ...], Meta(max_length=TOPICS_MAX)]


class AskTail(Message, frozen=True, tag="ask_tail.1"):
    """Ask the owner of a journal for its records from a number on, at most so many at once."""

    from_sequence: Count
    records_max: Count


class TailGiven(Message, frozen=True, tag="tail_given.1"):
    """Records in a row, one part each behind this envelope; `last_sequence` is the newest the owner has.

    Where `first_sequence` is above the number asked for, the journal has a hole: what stood before it will never come.
    No records, though there are newer ones: the way to them is long, ask again.
    """

    first_sequence: Count
    record_count: Count
    last_sequence: Count


class RequestRefused(Message, frozen=True, tag="request_refused.1"):
    """The request was not handled, and handling it was not begun: which rule forbids it, and why."""

    rule: Name
    reason: Text
