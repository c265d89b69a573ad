"""The venue client's leg: from the hand-over to the gateway until its order is at the exchange, and until the answer.

The real gateway, with ccxt, sends market orders to the simulated exchange in a process of its own, one after another at
an easy pace. The exchange stamps each request when it has read it, by the clock that all processes of a host share.
"""

import asyncio
import statistics
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final

import msgspec
import uvloop

from shared.mesh.clock import boot_ns_now
from tests.bench.order_feed import A_SECOND
from tests.house.tree import CHECKOUT
from tests.shared.mesh.gateway.opened import an_order, opened

ORDERS: Final = 300
WARMING: Final = 30
TO_EXCHANGE, TO_ANSWER = "hand-over to the exchange", "hand-over to the answer"


class LegRow(msgspec.Struct, frozen=True):
    """One leg, in microseconds."""

    what: str
    count: int
    p50_us: float
    p99_us: float


async def _measured(orders: int) -> list[LegRow]:
    async with AsyncExitStack() as stack:
        pipe = asyncio.subprocess.PIPE
        command = [sys.executable, "-m", "tests.bench.leg_peer"]
        peer = await asyncio.create_subprocess_exec(*command, cwd=CHECKOUT, stdin=pipe, stdout=pipe, limit=2**26)
        stack.push_async_callback(peer.wait)
        assert peer.stdin is not None
        assert peer.stdout is not None
        port = int(await peer.stdout.readline())
        gateway = await stack.enter_async_context(opened(f"http://127.0.0.1:{port}"))
        await gateway.is_ready()
        handed_ns, answered_ns = {}, {}
        for number in range(WARMING + orders):
            name = f"bench-{number}"
            order = an_order(order_type="market", limit_price=None, quantity="0.0002", client_order_id=name)
            handed_ns[name] = boot_ns_now()
            await gateway.sent(order)
            answered_ns[name] = boot_ns_now()
            await asyncio.sleep(1 / A_SECOND)
        peer.stdin.close()
        came_ns = msgspec.json.decode(await peer.stdout.readline(), type=dict[str, int])
        names = list(handed_ns)[WARMING:]
        return [
            _row(what, [at_ns[name] - handed_ns[name] for name in names])
            for what, at_ns in ((TO_EXCHANGE, came_ns), (TO_ANSWER, answered_ns))
        ]


def _row(what: str, taken_ns: Sequence[int]) -> LegRow:
    ordered = sorted(taken_ns)
    p50_us, p99_us = statistics.median(ordered) / 1_000, ordered[len(ordered) * 99 // 100] / 1_000
    return LegRow(what, len(ordered), round(p50_us, 1), round(p99_us, 1))


def measured(orders: int = ORDERS) -> list[LegRow]:
    """Measure the way of orders that are handed over."""
    return uvloop.run(_measured(orders))


def table(rows: Sequence[LegRow]) -> str:
    """Lay the rows out for a person."""
    lines = [f"{'leg':28} {'orders':>8} {'p50 us':>10} {'p99 us':>10}"]
    return "\n".join([*lines, *(f"{row.what:28} {row.count:8} {row.p50_us:10.1f} {row.p99_us:10.1f}" for row in rows)])


def verdicts(rows: Sequence[LegRow]) -> list[str]:
    """Say what it is: there is no goal, for it is ccxt's and the network's."""
    to_exchange = rows[0]
    return [
        f"the venue client takes {to_exchange.p50_us / 1_000:.2f} ms at the median until its order is at the exchange"
    ]
