"""What another wrote, who may act in a service's name while that is dead: read from its files for the core to adopt.

Whoever calls holds the service's own seat. So nobody acts in its name now, and all that was written so is durable.
"""

from collections.abc import Iterator

from proto.codec import EnvelopeCodec
from shared.core.service import InheritanceUnread, Inherited, InheritedState, Recorded
from shared.mesh.anchors import Witnessed, anchors_of
from shared.mesh.journal import RealDisk, journal_directory
from shared.mesh.journal_tail import JournalTail, TailUnreadError, journal_tail
from shared.mesh.service.plan import Inherits
from shared.mesh.settings import Configuration


def inheritance(
    configuration: Configuration, inherits: Inherits, *, codec: EnvelopeCodec
) -> Iterator[InheritedState | Inherited | InheritanceUnread]:
    """Yield what is not adopted yet of a journal, in order, and where something of it cannot be read, that.

    The core is asked how far back to go once the first is wanted: it knows its own past then.
    """
    instance = inherits.instance
    kept = anchors_of(configuration.anchors_directory, instance)
    anchors = [found.anchor for found in kept if isinstance(found, Witnessed)]
    disk = RealDisk(journal_directory(configuration.var_directory, instance))
    try:
        tail = journal_tail(disk, codec=codec, anchors=anchors)
        if tail is not None:
            yield from inherited(tail, inherits)
    except TailUnreadError as error:
        yield InheritanceUnread(instance, str(error))


def inherited(tail: JournalTail, inherits: Inherits) -> Iterator[InheritedState | Inherited | InheritanceUnread]:
    """Yield what is not adopted yet; TailUnreadError: it cannot be read on."""
    page = tail.page(inherits.has_adopted)
    yield InheritedState(inherits.instance, page.state)
    for past in page.past:
        if isinstance(past, Recorded):
            yield Inherited(inherits.instance, past.envelope)
        else:
            yield InheritanceUnread(inherits.instance, past.reason, past.next_sequence)
