"""A whole exchange under a clock that is moved by hand: prints the hash of its log, and of all that it told.

`python -m tests.services.sim_exchange.record.scripted FOLDER`
"""

import hashlib
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from services.sim_exchange.face.desk import Desk
from services.sim_exchange.market.market import Market
from services.sim_exchange.market.script import Scripts
from services.sim_exchange.market.settings import DEFAULT_SYMBOLS, MarketSettings
from services.sim_exchange.market.source import History
from services.sim_exchange.market.synthetic import SyntheticMarket
from services.sim_exchange.record.book_of_record import BookOfRecord
from services.sim_exchange.venue.exchange import Exchange
from services.sim_exchange.venue.vocabulary import (
    CancelOrder,
    Command,
    Event,
    Fees,
    OpenAccount,
    PlaceOrder,
    SetRules,
    Transfer,
)
from shared.mesh.clock import VirtualClock
from shared.mesh.private_directory import PrivateDirectory

NS_PER_MS: Final = 1_000_000
STEPS: Final = 300
SETTINGS: Final = MarketSettings(seed=11, symbols=DEFAULT_SYMBOLS)
FEES: Final = Fees(maker=Decimal("0.001"), taker=Decimal("0.001"), in_bnb=True)


def scripted(step: int, best_bid: Decimal) -> Command | None:
    """Return what the client does at a step, if anything."""
    match step % 10:
        case 1:
            return _order(f"n{step}", "BUY", "LIMIT", best_bid)
        case 4:
            return _order(f"n{step}", "SELL", "MARKET", None)
        case 7:
            return CancelOrder(account="ann", symbol="BTCUSDT", client_id=f"n{step - 6}")
        case _:
            return None


def _order(client_id: str, side: str, order_type: str, price: Decimal | None) -> PlaceOrder:
    return msgspec.convert(
        {
            "account": "ann",
            "symbol": "BTCUSDT",
            "side": side,
            "type": order_type,
            "client_id": client_id,
            "quantity": "0.01",
            "price": None if price is None else str(price),
            "time_in_force": None if price is None else "GTC",
        },
        PlaceOrder,
    )


def main() -> None:
    """Trade for a minute."""
    clock = VirtualClock()
    now_ms = clock.wall_ns() // NS_PER_MS
    exchange, told = Exchange(opened_ms=now_ms), hashlib.sha256()
    folder = Path(sys.argv[1])
    record = BookOfRecord(PrivateDirectory(folder), exchange)
    record.begin(now_ms)

    def on_told(events: Sequence[Event]) -> None:
        record.happened(tuple(events), clock.wall_ns() // NS_PER_MS)
        told.update(msgspec.json.encode(events))

    desk = Desk(core=exchange, clock=lambda: clock.wall_ns() // NS_PER_MS, on_told=on_told)
    scripts = Scripts(history=History(SyntheticMarket(SETTINGS)), symbols=SETTINGS.rules(), seed=SETTINGS.seed)
    market = Market(settings=SETTINGS, scripts=scripts)
    opening: list[Command] = [SetRules(rules=rules) for rules in SETTINGS.rules().values()]
    opening.append(OpenAccount(account="ann", fees=FEES))
    opening += [Transfer(account="ann", asset=asset, amount=Decimal(1_000_000)) for asset in ("USDT", "BTC", "BNB")]
    for command in (*opening, *market.opening()):
        desk.carry_out(command)
    for step in range(STEPS):
        clock.advance(SETTINGS.step_ms * NS_PER_MS)
        for asked in market.step(desk.clock()):
            market.answered(asked, desk.carry_out(asked))
        wanted = scripted(step, exchange.depth("BTCUSDT", 1).bids[0][0])
        if wanted is not None:
            market.heard(desk.carry_out(wanted).events)
    record.close()
    log = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(folder.glob("*.jsonl"))))
    sys.stdout.write(f"{log.hexdigest()} {told.hexdigest()} {len(exchange.own_trades('ann', 'BTCUSDT'))}\n")


if __name__ == "__main__":
    main()
