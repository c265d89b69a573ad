"""What the core does while nothing can be written down."""

from shared.core.service import Stalled
from shared.execution.vocabulary import ReadOpenOrders
from tests.shared.execution.desk import Desk, of

PASSES_A_MINUTE_MAX = 8


def test_venue_is_not_worn_out_while_nothing_can_be_recorded() -> None:
    """Books that cannot be brought up to date are compared again only now and then: every reading weighs."""
    desk = Desk().open()
    desk.has_room = False
    desk.reconcile(desk.take(Stalled(2_000_000_000)), usdt="10000")
    passes = 0
    for _ in range(600):
        effects = desk.wait(0.1)
        if of(effects, ReadOpenOrders):
            passes += 1
            desk.reconcile(effects, usdt="10000")
    assert 2 <= passes <= PASSES_A_MINUTE_MAX
    desk.has_room = True
    later = [effects for effects in (desk.wait(0.1) for _ in range(100)) if of(effects, ReadOpenOrders)]
    assert later, "with room again they are compared"
