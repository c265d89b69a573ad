"""`bowline sim-exchange`: run the simulated exchange in the foreground, or look into what it has written down.

Looking needs no exchange that runs: accounts and orders are made again from its log, as the exchange does at its start.
"""

import argparse
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final, TextIO, get_args

from proto.fields import Role
from services.sim_exchange.__main__ import choose, serve
from services.sim_exchange.process import FOLDER, LOG_FOLDER
from services.sim_exchange.record.book_of_record import RecordDamagedError, lines_of, segment_numbers
from services.sim_exchange.record.lines import (
    CarriedOver,
    Happened,
    Interfered,
    LastingCarried,
    Line,
    Opened,
    Received,
    written,
)
from services.sim_exchange.venue.exchange import Exchange
from services.sim_exchange.venue.vocabulary import (
    AccountOpened,
    BalanceChanged,
    ClientIdRemembered,
    ListChanged,
    OrderChanged,
    OrderView,
    RulesChanged,
    TradeRemembered,
)
from shared.mesh.bus.keys import KeysUnusableError, create_keys
from shared.mesh.private_directory import PrivateDirectory, PrivateFileError
from shared.mesh.run_directory import RunDirectory, SocketPathError
from shared.mesh.settings import Configuration, SettingsError, load_configuration

OK: Final = 0
FAILED: Final = 1
LINES_DEFAULT: Final = 20

Row = tuple[str, ...]


class NothingThereError(Exception):
    """No exchange has ever run here."""


def main(argv: Sequence[str]) -> int:
    """Run the verb against this checkout."""
    return run(argv, environment=os.environ, output=sys.stdout, errors=sys.stderr)


def run(argv: Sequence[str], *, environment: Mapping[str, str], output: TextIO, errors: TextIO) -> int:
    """Run the verb with everything it touches handed in, and return the exit code."""
    arguments = _parser().parse_args(argv)
    try:
        configuration = load_configuration(root=arguments.root, environment=environment)
        if arguments.what == "run":
            return _serve(configuration, arguments)
        output.writelines(f"{line}\n" for line in _looked(arguments, configuration))
    except (KeysUnusableError, NothingThereError, PrivateFileError, RecordDamagedError, SocketPathError) as error:
        errors.write(f"bowline sim-exchange: {error}\n")
        return FAILED
    except SettingsError as error:
        errors.write(f"{error}\n")
        return FAILED
    return OK


def _serve(configuration: Configuration, arguments: argparse.Namespace) -> int:
    """Make what `bowline up` would have made, and be the exchange until Ctrl-C."""
    create_keys(PrivateDirectory(configuration.keys_directory), get_args(Role))
    RunDirectory(configuration.run_directory)
    return serve(arguments)


def _looked(arguments: argparse.Namespace, configuration: Configuration) -> Iterator[str]:
    lines = _lines(configuration.var_directory / FOLDER / LOG_FOLDER)
    match arguments.what:
        case "accounts":
            yield from table(("account", "asset", "free", "locked"), _balances(_exchange_of(lines)))
        case "orders":
            rows = _orders(_exchange_of(lines), only_open=not arguments.all)
            yield from table(("account", "order", "client id", "symbol", "what", "filled", "state", "placed"), rows)
        case _:
            last = deque(lines, maxlen=arguments.lines)
            yield from (written(line).decode().rstrip() if arguments.json else in_words(line) for line in last)


def _lines(folder: Path) -> Iterator[Line]:
    if not folder.is_dir():
        raise NothingThereError(f"there is no {folder}: no exchange has run here yet; `bowline sim-exchange` runs one")
    directory = PrivateDirectory(folder)
    numbers = segment_numbers(directory)
    if not numbers:
        raise NothingThereError(f"there is nothing in {folder} yet; `bowline sim-exchange` runs an exchange")
    return lines_of(directory, numbers[-1])


def _exchange_of(lines: Iterable[Line]) -> Exchange:
    exchange = Exchange()
    for line in lines:
        if isinstance(line, CarriedOver):
            exchange.restore(line.carried)
        elif isinstance(line, Happened):
            for event in line.events:
                exchange.restore(event)
    return exchange


def _balances(exchange: Exchange) -> Iterator[Row]:
    for account in exchange.accounts():
        for asset, balance in sorted(exchange.balances(account).items()):
            yield account, asset, plain(balance.free), plain(balance.locked)


def _orders(exchange: Exchange, *, only_open: bool) -> Iterator[Row]:
    for account in exchange.accounts():
        for order in exchange.orders(account, only_open=only_open):
            state, placed = order.status, time_of(order.placed_ms)
            yield (
                account,
                str(order.order_id),
                order.client_id,
                order.symbol,
                order_in_words(order),
                plain(order.filled),
                state,
                placed,
            )


def plain(amount: Decimal) -> str:
    """Write an amount out in full, without the zeros at its end."""
    return f"{amount.normalize():f}"


def order_in_words(order: OrderView) -> str:
    """Say what an order wants."""
    words = [order.side, plain(order.quantity or order.quote_quantity), order.type]
    if order.price:
        words.append(f"at {plain(order.price)}")
    if order.stop_price:
        words.append(f"from {plain(order.stop_price)}")
    return " ".join(words)


def in_words(line: Line) -> str:
    """Say what a line of the log says, for a person."""
    begin = f"{time_of(line.at_ms)}  {line.number:>6}  "
    match line:
        case Opened():
            return f"{begin}a segment begins, with {line.carried_over} lines about what was before"
        case CarriedOver():
            return f"{begin}before: {_event_in_words(line.carried)}"
        case Received():
            sent = " ".join(f"{name}={value}" for name, value in line.sent.items())
            return f"{begin}{line.address} {line.account or 'nobody'} asked {line.endpoint} {sent}"
        case Interfered():
            met = " ".join(filter(None, (line.account, line.endpoint, line.stream, line.symbol, line.client_id)))
            return f"{begin}fault {line.fault_id} ({line.kind}) struck for the {line.fired}. time: {met}"
        case Happened():
            return begin + "; ".join(_event_in_words(event) for event in line.events)


def _event_in_words(event: LastingCarried) -> str:
    match event:
        case TradeRemembered():
            trade = event.trade
            what = f"{trade.side} {plain(trade.fill.quantity)} at {plain(trade.fill.price)}"
            return f"{event.account} {trade.symbol} traded {what}"
        case ClientIdRemembered():
            return f"{event.account} has used the id {event.client_id} on {event.symbol}"
        case AccountOpened():
            return f"{event.account} may trade"
        case RulesChanged():
            return f"{event.rules.symbol} is {event.rules.status}"
        case BalanceChanged():
            free, locked = plain(event.balance.free), plain(event.balance.locked)
            return f"{event.account} has {free} {event.asset} free and {locked} locked"
        case ListChanged():
            return f"list {event.list.list_id} of {event.list.account} {event.list.status}"
        case OrderChanged():
            order, fill = event.order, event.fill
            traded = ""
            if fill is not None:
                fee = f"{plain(fill.fee)} {fill.fee_asset}"
                traded = f" {plain(fill.quantity)} at {plain(fill.price)}, fee {fee},"
            return (
                f"{order.account} {order.client_id} {order.symbol} {order_in_words(order)}: "
                f"{event.execution}{traded} {order.status}"
            )


def time_of(at_ms: int) -> str:
    """Write a time for people."""
    return datetime.fromtimestamp(at_ms / 1_000, UTC).isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")


def table(heads: Row, rows: Iterable[Row]) -> Iterator[str]:
    """Lay rows out in columns."""
    everything = [heads, *rows]
    widths = [max(map(len, column)) for column in zip(*everything, strict=True)]
    for row in everything:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bowline sim-exchange",
        description="Run the simulated exchange until Ctrl-C, or look into what it has written down.",
    )
    parser.set_defaults(what="run")
    choose(parser)
    verbs = parser.add_subparsers(metavar="accounts|orders|log")
    verbs.add_parser("accounts", help="who has what").set_defaults(what="accounts")
    orders = verbs.add_parser("orders", help="the open orders")
    orders.set_defaults(what="orders")
    orders.add_argument("--all", action="store_true", help="those as well that ended and are remembered")
    log = verbs.add_parser("log", help="what was asked of it and what came of it")
    log.set_defaults(what="log")
    log.add_argument("-n", "--lines", type=_count, default=LINES_DEFAULT, help="so many of the last lines")
    log.add_argument("--json", action="store_true", help="as they stand in the file")
    return parser


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError("write a number of lines, 0 or more")
    return int(text)
