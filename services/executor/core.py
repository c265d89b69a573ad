"""The executor's core: approvals and exits in, numbered reports out, one order at a time for each position. Pure.

The way of an order: `Approval` comes (`_approved`), the entry and the send mark are written down together, `SendOrder`
leaves once they are durable and nothing stands against it any more (`_recorded`), and whatever the venue says of it, by
reply, by stream or when it is asked (`services/executor/evidence.py`), is written down before it counts.

What the venue tells is taken in one fact at a time: the next one waits until what the one before led to is durable.
Once no fact is left, `Worker` says what to do next.
"""

from typing import Final

TICK_NS: Final = 100_000_000
LEASE_NS: Final = 500_000_000
ACCOUNT_NS: Final = 1_000_000_000
SIGN_WITHIN_NS: Final = 250_000_000  # after its mark
DRAIN_NS: Final = 10_000_000_000


class ExecutorCore:
    """Works what was approved, and keeps what it led to covered."""
