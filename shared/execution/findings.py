"""What a pass of the reconciliation found, as it is written down. Pure."""

from collections.abc import Mapping, Sequence

from proto.fields import Symbol, clipped
from proto.orders import DIFFERENCES_MAX, OutsideSeen, ReconcileFinished, TradesReadTo
from shared.core.service import Report
from shared.execution.reconciliation import Compared


def differences_of(compared: Compared) -> list[str]:
    """Return in words what differs."""
    return [
        *(f"{client_order_id} is not open at the venue" for client_order_id in compared.missing),
        *(f"{asset}: the venue has {more:+f} more than our books" for asset, more in compared.unexplained.items()),
    ]


def unexplained(compared: Compared, number: int, venue_time_ns: int) -> list[Report]:
    """Return the money that no trade explains, once that is believed, as the pass of this number found it."""
    if not compared.believed:
        return []
    seen = [
        OutsideSeen("unexplained", f"unexplained-{number}-{asset}", None, asset, difference, venue_time_ns)
        for asset, difference in compared.unexplained.items()
    ]
    return [Report(one, reducing=True) for one in seen]


def finished(number: int, differences: Sequence[str], read_to: Mapping[Symbol, int]) -> Report:
    """Return the end of a pass."""
    to = tuple(TradesReadTo(symbol, next_id) for symbol, next_id in read_to.items())
    return Report(ReconcileFinished(number, not differences, tuple(_at_most(differences)), to), reducing=True)


def _at_most(differences: Sequence[str]) -> list[str]:
    if len(differences) <= DIFFERENCES_MAX:
        return [clipped(one) for one in differences]
    kept = DIFFERENCES_MAX - 1
    return [*(clipped(one) for one in differences[:kept]), f"and {len(differences) - kept} more"]
