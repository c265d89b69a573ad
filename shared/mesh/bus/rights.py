"""Whether a message may come from whom it came, where it came: the table of topics, held against the peer's own name.

Every receiving side asks here. The name is the one the peer proved with its key, or that of the owner whose key we
connected to; what the envelope says about its sender has to agree with it.
"""

from collections.abc import Container

from proto.envelope import Envelope
from proto.topics import Delivery, topic_of
from shared.mesh.bus.keys import role_of


def may_say(instance: str, envelope: Envelope, *, socket: str, deliveries: Container[Delivery]) -> bool:
    """Tell whether an instance may send this on a socket of that name, delivered in one of those ways."""
    topic = topic_of(type(envelope.body))
    return (
        topic.socket == socket
        and topic.delivery in deliveries
        and envelope.sender == instance
        and role_of(instance) in topic.senders
    )
