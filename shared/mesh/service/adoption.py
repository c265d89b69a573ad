"""What another wrote, who may act in a service's name while that is dead: read from its files for the core to adopt.

Whoever calls holds the service's own seat. So nobody acts in its name now, and all that was written so is durable.
"""

from collections.abc import Iterator

from proto.codec import EnvelopeCodec
from shared.core.service import InheritanceUnread, Inherited, Recorded
from shared.mesh.anchors import Witnessed, anchors_of
from shared.mesh.journal import RealDisk, journal_directory
from shared.mesh.journal_tail import TailUnreadError, journal_tail
from shared.mesh.settings import Configuration


def inheritance(
    configuration: Configuration, instance: str, *, codec: EnvelopeCodec
) -> Iterator[Inherited | InheritanceUnread]:
    """Yield everything in the journal of an instance, in order, and where something of it cannot be read, that."""
    kept = anchors_of(configuration.anchors_directory, instance)
    anchors = [found.anchor for found in kept if isinstance(found, Witnessed)]
    disk = RealDisk(journal_directory(configuration.var_directory, instance))
    try:
        tail = journal_tail(disk, codec=codec, anchors=anchors)
        for past in () if tail is None else tail.everything():
            if isinstance(past, Recorded):
                yield Inherited(instance, past.envelope)
            else:
                yield InheritanceUnread(instance, past.reason)
    except TailUnreadError as error:
        yield InheritanceUnread(instance, str(error))
