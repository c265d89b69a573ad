"""Where a stream stands: how messages and heartbeats point at what was published."""

from proto.fields import Count, Id, Part


class StreamPosition(Part, frozen=True):
    """A place in a stream: the publisher's epoch and a number in it, 0 when nothing was published yet."""

    stream: Id
    epoch: Count
    sequence: Count
