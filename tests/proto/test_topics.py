"""The table of messages, sockets, delivery and senders is complete and says one thing about each message."""

import re
from collections import defaultdict
from typing import get_args

import pytest

from proto.envelope import Body
from proto.fields import Role
from proto.market import MarketBody
from proto.topics import ANY_SOCKET, TOPICS, Delivery, Topic, topic_of


def test_every_message_has_exactly_one_row() -> None:
    """No message is without a way to travel, and none has two."""
    messages = [topic.message for topic in TOPICS]
    assert len(messages) == len(set(messages))
    assert set(messages) == {*get_args(Body), *get_args(MarketBody)}


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.tag)
def test_a_tag_is_the_name_of_its_message_and_a_version(topic: Topic) -> None:
    """The kind on the wire is the class name in small letters, so that one leads to the other."""
    kind, _, version = topic.tag.rpartition(".")
    assert kind == re.sub(r"(?<!^)([A-Z])", r"_\1", topic.message.__name__).lower()
    assert re.fullmatch(r"[1-9][0-9]*", version)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.tag)
def test_only_known_roles_send(topic: Topic) -> None:
    """Senders are roles of the mesh, and every message has some."""
    assert topic.senders <= set(get_args(Role))
    assert topic.senders
    assert topic_of(topic.message) is topic


def test_every_request_socket_can_answer() -> None:
    """Where a request may be sent, an answer comes back, and never from the role that asked."""
    sockets: dict[str, dict[Delivery, set[Role]]] = defaultdict(lambda: defaultdict(set))
    for topic in TOPICS:
        if topic.socket != ANY_SOCKET:
            sockets[topic.socket][topic.delivery] |= topic.senders
    for socket, deliveries in sockets.items():
        asked = deliveries[Delivery.REQUEST] | deliveries[Delivery.READING]
        assert bool(asked) == bool(deliveries[Delivery.ANSWER])
        # Risk answers operators and tells executor and flattener to act; the owners of journals read each other's.
        if socket not in {"control", "tail"}:
            assert not asked & deliveries[Delivery.ANSWER]


def test_no_order_relies_on_a_stream() -> None:
    """Everything about an order is numbered, asked or answered; only market data may be lost."""
    assert {topic.socket for topic in TOPICS if topic.delivery is Delivery.STREAM} == {"market"}


def test_nobody_but_risk_approves_and_nobody_without_a_venue_key_reports() -> None:
    """The roles that hold money apart cannot be spoken for by another."""
    for topic in TOPICS:
        if topic.socket == "approvals" and topic.delivery is Delivery.REQUEST:
            assert topic.senders == {"risk"}
        if topic.socket == "reports":
            assert topic.senders <= {"executor", "flattener"}
