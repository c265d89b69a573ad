"""What the hops of a process say about the way of its inputs."""

from proto.codec import EnvelopeCodec
from proto.control import AskLimits
from proto.envelope import MarketEnvelope
from proto.health import HopLatency
from proto.market import TradeSeen
from shared.core.continuity import Broken, Event, Seen
from shared.core.service import Asked, Happening, Moment, Watched
from shared.mesh.bus.sender import Sender
from shared.mesh.clock import VirtualClock
from shared.mesh.service.hops import JOURNAL, Hops

CLOCK = VirtualClock(boot_ns=1_000_000_000)
TRADE = TradeSeen(symbol="BTC/USDT", price=64000.0, quantity=0.01, taker_side="buy", trade_id="1")


def now(*, later_ns: int, boot_id: str = CLOCK.boot_id) -> Moment:
    """Return the moment so long after the clock's."""
    return Moment(CLOCK.wall_ns() + later_ns, CLOCK.boot_ns() + later_ns, boot_id)


def a_request() -> Asked:
    """Return a request as it is handed to a core."""
    sender = Sender(instance="operator", epoch=1, clock=CLOCK)
    return Asked("operator", sender.envelope(AskLimits(actor="me")))


def seen(*, published_before_ns: int) -> Seen:
    """Return a trade that was published so long before the clock's time."""
    published_ns = CLOCK.wall_ns() - published_before_ns
    return Seen(b"topic", MarketEnvelope(1, 1, None, published_ns, published_ns, TRADE))


def measured(happening: Happening, moment: Moment) -> dict[str, HopLatency]:
    """Return what is said after one input."""
    hops = Hops()
    hops.arrived(happening, moment)
    return {hop.hop: hop for hop in hops.measured().hops}


def test_a_hop_is_counted_from_the_saying_to_the_hearing() -> None:
    """The name of a hop says who spoke on which socket, its length what passed on the boot clock."""
    hop = measured(a_request(), now(later_ns=100))["operator.control"]
    assert (hop.count, hop.p50_ns, hop.max_ns) == (1, 100, 100)


def test_a_stamp_of_another_boot_is_not_compared() -> None:
    """Boot times of two boots say nothing about each other."""
    assert measured(a_request(), now(later_ns=100, boot_id="another")) == {}


def test_the_newest_of_a_packet_stands_for_all() -> None:
    """Market data that came together is one arrival; a break in it is none."""
    events: list[Event] = [seen(published_before_ns=50), seen(published_before_ns=20)]
    assert measured(Watched("feed", events), now(later_ns=0))["feed.market"].max_ns == 20
    assert measured(Watched("feed", [Broken(b"topic", "gap")]), now(later_ns=0)) == {}


def test_what_was_said_is_not_said_again() -> None:
    """Each message covers what happened since the last, and fits into a frame with as many hops as there may be."""
    hops = Hops()
    for number in range(1_000):
        hops.took(f"{JOURNAL} {number}", number)
    said = hops.measured()
    assert sum(hop.count for hop in said.hops) == 1_000
    EnvelopeCodec().encode(Sender(instance="risk", epoch=1, clock=CLOCK).envelope(said))
    assert hops.measured().hops == ()
