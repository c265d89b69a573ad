"""What the matching core of the simulated exchange does in a second, and what it keeps of a million trades.

The flow is a mix as a busy market has it: about 45 new orders around the price of a hundred, 40 cancels and 15 market
orders in a hundred. Clients are told everything and their history is kept; the synthetic market's own orders are not
told of. There is no floor to compare with: a core that does less would be another core.
"""

import gc
import random
import resource
import statistics
import sys
import time
from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import msgspec

from services.sim_exchange.venue.exchange import IDS_PER_MS, Exchange
from services.sim_exchange.venue.vocabulary import (
    CancelOrder,
    Command,
    Fees,
    OpenAccount,
    PlaceOrder,
    SetRules,
    SymbolRules,
    Traded,
    Transfer,
)

GOAL_PER_SECOND: Final = 40_000
GROWTH_MB_MAX: Final = 8  # between the first fifth of the trades and the last
TRADES: Final = 1_000_000
PIECES: Final = 50
ROUNDS: Final = 100
COMMANDS_PER_ROUND: Final = 1_000  # short ones, so that what else the machine does falls into few of them
ROUNDS_TO_WARM_UP: Final = 20  # the book fills
ACCOUNTS: Final = ("ann", "bob", "eve")
START_MS: Final = 1_700_000_000_000
RULES: Final = SymbolRules(
    symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    tick_size=Decimal("0.01"),
    price_min=Decimal("0.01"),
    price_max=Decimal(1_000_000),
    step_size=Decimal("0.00001"),
    quantity_min=Decimal("0.00001"),
    quantity_max=Decimal(9000),
    market_quantity_max=Decimal(100),
    notional_min=Decimal(5),
    notional_max=Decimal(9_000_000),
    percent_up=Decimal(5),
    percent_down=Decimal("0.2"),
    open_orders_max=100_000,
    algo_orders_max=5,
)


class Row(msgspec.Struct, frozen=True):
    """What one kind of account got done: commands, and the trades they led to."""

    accounts: str
    commands_per_second: int
    best_per_second: int
    trades_per_command: float


class Memory(msgspec.Struct, frozen=True):
    """How large the process was after a fifth of the trades, and after all of them."""

    trades: int
    early_mb: float
    late_mb: float


def an_exchange(*, is_market: bool) -> Exchange:
    """Return an exchange with accounts that never run out of money."""
    exchange = Exchange(opened_ms=START_MS)
    exchange.handle(SetRules(rules=RULES), START_MS)
    for account in ACCOUNTS:
        fees = Fees(maker=Decimal("0.001"), taker=Decimal("0.001"))
        exchange.handle(OpenAccount(account=account, fees=fees, is_market=is_market), START_MS)
        for asset in ("BTC", "USDT"):
            exchange.handle(Transfer(account=account, asset=asset, amount=Decimal(10**12)), START_MS)
    return exchange


def busy_flow(seed: int) -> Iterator[Command]:
    """Yield the mix, without end."""
    draw = random.Random(seed)  # noqa: S311 -- the same flow each time, nothing secret
    placed: deque[tuple[str, str]] = deque()
    number = 0
    while True:
        number += 1
        account, is_buy, kind = draw.choice(ACCOUNTS), draw.random() < 0.5, draw.random()
        if kind < 0.4 and len(placed) > 100:
            owner, client_id = placed.popleft() if draw.random() < 0.5 else placed.pop()
            yield CancelOrder(account=owner, symbol=RULES.symbol, client_id=client_id)
            continue
        limit = kind < 0.85
        client_id = f"order-{number}"
        if limit:
            placed.append((account, client_id))
        cents = draw.randrange(1, 60)
        yield PlaceOrder(
            account=account,
            symbol=RULES.symbol,
            side="BUY" if is_buy else "SELL",
            type="LIMIT" if limit else "MARKET",
            client_id=client_id,
            time_in_force="GTC" if limit else None,
            quantity=Decimal(draw.randrange(100, 5000)).scaleb(-5),
            price=Decimal(5_000_000 + (-cents if is_buy else cents)).scaleb(-2) if limit else None,
        )


def measured() -> list[Row]:
    """Run the flow from accounts of clients, and from the market's own."""
    return [_row("clients", is_market=False), _row("the market's", is_market=True)]


def _row(accounts: str, *, is_market: bool) -> Row:
    exchange, flow = an_exchange(is_market=is_market), busy_flow(seed=1)
    rates: list[float] = []
    now_ms = START_MS
    for round_number in range(-ROUNDS_TO_WARM_UP, ROUNDS):
        commands = [next(flow) for _ in range(COMMANDS_PER_ROUND)]
        gc.collect()
        started_ns = time.perf_counter_ns()
        for command in commands:
            now_ms += 1
            exchange.handle(command, now_ms)
        if round_number >= 0:
            rates.append(COMMANDS_PER_ROUND / (time.perf_counter_ns() - started_ns) * 1e9)
    trades = exchange.trades(RULES.symbol)[-1].trade_id - START_MS * IDS_PER_MS
    return Row(
        accounts=accounts,
        commands_per_second=round(statistics.median(rates)),
        best_per_second=round(max(rates)),
        trades_per_command=round(trades / (COMMANDS_PER_ROUND * (ROUNDS + ROUNDS_TO_WARM_UP)), 2),
    )


def trading_flow() -> Iterator[Command]:
    """Yield orders of which nearly each makes a trade: one offer after the other, bought up piece by piece."""
    number = 0
    while True:
        number += 1
        offer = number % PIECES == 1
        yield PlaceOrder(
            account="ann" if offer else "bob",
            symbol=RULES.symbol,
            side="SELL" if offer else "BUY",
            type="LIMIT" if offer else "MARKET",
            client_id=f"order-{number}",
            time_in_force="GTC" if offer else None,
            quantity=Decimal("0.01") * (PIECES - 1 if offer else 1),
            price=Decimal(50_000) if offer else None,
        )


def remembered() -> Memory:
    """Let clients trade a million times, and see whether the process grows."""
    exchange, flow = an_exchange(is_market=False), trading_flow()
    now_ms, trades, early_mb = START_MS, 0, 0.0
    while trades < TRADES:
        now_ms += 1
        events = exchange.handle(next(flow), now_ms).events
        trades += sum(type(event) is Traded for event in events)
        if not early_mb and trades >= TRADES // 5:
            early_mb = _resident_mb()
    return Memory(trades=trades, early_mb=early_mb, late_mb=_resident_mb())


def _resident_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)


def table(rows: list[Row], memory: Memory) -> str:
    """Lay the rows out for a person."""
    lines = [f"{'accounts':14} {'commands/s':>11} {'at best':>9} {'trades each':>12}"]
    lines += [
        f"{row.accounts:14} {row.commands_per_second:11,} {row.best_per_second:9,} {row.trades_per_command:12.2f}"
        for row in rows
    ]
    lines.append(
        f"{memory.trades:,} trades: {memory.early_mb:.0f} MB after a fifth of them, {memory.late_mb:.0f} MB after all"
    )
    return "\n".join(lines)


def verdicts(rows: list[Row], memory: Memory) -> list[str]:
    """Hold the figures to their goals, in words; a goal that is missed is said to be missed."""
    clients = rows[0]
    grown = memory.late_mb - memory.early_mb
    return [
        f"matching: {clients.commands_per_second:,} commands a second ({clients.best_per_second:,} at best),"
        f" goal at least {GOAL_PER_SECOND:,}: "
        + ("met" if clients.commands_per_second >= GOAL_PER_SECOND else "MISSED"),
        f"memory: {grown:.1f} MB more after {memory.trades:,} trades, goal at most {GROWTH_MB_MAX}: "
        + ("met" if grown <= GROWTH_MB_MAX else "MISSED"),
    ]
