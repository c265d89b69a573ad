"""A long script of commands, drawn from a seed, and the hash of all that an exchange tells of it.

Run as a program it prints that hash: the test of determinism runs it twice, under different hash seeds.
"""

import hashlib
import random
import sys
from collections.abc import Iterator
from typing import Final

import msgspec

from services.sim_exchange.venue.vocabulary import CancelAll, CancelOrder, Command, OrderType, Side, Traded
from tests.services.sim_exchange.venue.builders import BTC, RATES, a_desk, leg, oco, order, rules

COMMANDS: Final = 6_000
TYPES: Final[list[OrderType]] = [
    "LIMIT",
    "LIMIT",
    "LIMIT",
    "LIMIT",
    "MARKET",
    "MARKET",
    "LIMIT_MAKER",
    "STOP_LOSS",
    "STOP_LOSS_LIMIT",
    "TAKE_PROFIT",
    "TAKE_PROFIT_LIMIT",
]


def commands(seed: int, count: int) -> Iterator[Command]:
    """Yield commands around a price of 100; some of them will be refused."""
    draw = random.Random(seed)  # noqa: S311  # a script that can be repeated, not a secret
    for number in range(count):
        account = draw.choice(sorted(RATES))
        side: Side = draw.choice(["BUY", "SELL"])
        symbol = draw.choice([BTC, BTC, "BNBUSDT"])
        kind = draw.random()
        if kind < 0.01:
            yield CancelAll(account=account, symbol=symbol)
        elif kind < 0.3:
            yield CancelOrder(
                account=account, symbol=symbol, client_id=f"n{draw.randrange(max(0, number - 100), number + 1)}"
            )
        elif kind < 0.35:
            above, below = leg("LIMIT_MAKER", "103", name=f"a{number}"), leg("STOP_LOSS", stop="97", name=f"b{number}")
            legs = (
                (above, below)
                if side == "SELL"
                else (leg("STOP_LOSS", stop="103", name=f"a{number}"), leg("LIMIT_MAKER", "97", name=f"b{number}"))
            )
            yield oco(account, side, "0.7", *legs)
        else:
            order_type = draw.choice(TYPES)
            price, stop = (f"{draw.randrange(9500, 10500) / 100}" for _ in range(2))
            yield order(
                account,
                side,
                order_type,
                f"{draw.randrange(1, 3000) / 1000}",
                None if order_type in {"MARKET", "STOP_LOSS", "TAKE_PROFIT"} else price,
                stop=stop if order_type not in {"LIMIT", "MARKET", "LIMIT_MAKER"} else None,
                name=f"n{number}",
                symbol=symbol,
                stp=draw.choice(["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"]),
            )


def main() -> None:
    """Print how many trades there were, and the hash of every answer and event."""
    desk, digest = a_desk(rules(open_orders_max=200, algo_orders_max=50), rules("BNBUSDT")), hashlib.sha256()
    for command in commands(seed=7, count=COMMANDS):
        digest.update(msgspec.json.encode(desk.send(command)))
    trades = sum(isinstance(event, Traded) for event in desk.told)
    sys.stdout.write(f"{trades} trades, {digest.hexdigest()}\n")


if __name__ == "__main__":
    main()
