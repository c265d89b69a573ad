"""Whether each balance at the exchange is what was there, came and went, and our fills moved, to the last digit."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from services.verify.checker.evidence import NS_PER_SECOND, Evidence
from services.verify.checker.exchange_log import LOG, NS_PER_MS, ZERO, ExchangeLog, LogTrade
from services.verify.checker.fills import FillKey, key_of
from services.verify.checker.journal import Journal
from services.verify.checker.verdict import Judge, Place
from services.verify.checker.words import OrderFilled, OutsideSeen

FEES_ACCOUNT: Final = "fees"
OPENING_NS_MAX: Final = 5 * NS_PER_SECOND  # how long the first reading of the balances may take
OPENING_MOVES_MAX: Final = 8
READ_LAG_NS: Final = 2 * NS_PER_SECOND  # how old a reading of the exchange may be
MONEY_MOVED: Final = frozenset({"transfer", "unexplained"})  # with the exchange's word, or without it

Flows = defaultdict[str, Decimal]


def judge_balances(evidence: Evidence, judge: Judge) -> None:
    """Judge the balances of the account that our orders are on."""
    log = evidence.log
    if log is None or evidence.executor is None:
        return
    accounts = {order.account for order in log.ours()} or {name for name, _ in log.balances if name != FEES_ACCOUNT}
    if len(accounts) != 1:
        judge.skip(f"our orders are on {len(accounts)} accounts of the exchange: no balance is judged (I11)")
        return
    account = accounts.pop()
    fills = {key_of(fill.body): fill.body for fill in evidence.executor.of(OrderFilled)}
    flows = _came_and_went(log, account)
    theirs = [
        trade
        for trade in log.trades
        if trade.account == account and not trade.is_remembered and _is_not_ours(trade, evidence, log, fills)
    ]
    for trade in theirs:
        _add_trade(flows, log, trade.symbol, trade)
    from_before = {(trade.symbol, trade.side, trade.trade_id): trade.is_remembered for trade in log.trades}
    for key, fill in fills.items():
        if not from_before.get(key, not log.covers(fill.venue_time_ns)):
            _add_trade(flows, log, fill.order.symbol, fill)
    for (name, asset), (number, total) in log.balances.items():
        if name == account:
            what = f"{account} has {total} {asset}, and by what came and went it is {flows[asset]}"
            judge.hold("I11", what, Place(LOG, number), holds=total == flows[asset])
    if evidence.settled:
        _judge_transfers_seen(evidence.executor, log, account, theirs, judge)


def _came_and_went(log: ExchangeLog, account: str) -> Flows:
    """Add up what was there when the log begins, and what was brought in or taken out."""
    flows: Flows = defaultdict(Decimal)
    for (name, asset), amount in log.opening.items():
        if name == account:
            flows[asset] += amount
    for transfer in log.transfers:
        if transfer.account == account:
            flows[transfer.asset] += transfer.amount
    return flows


def _is_not_ours(trade: LogTrade, evidence: Evidence, log: ExchangeLog, fills: Mapping[FillKey, OrderFilled]) -> bool:
    """Say whether the log has to be believed about a trade: it is another's, or one that may be news to the journal."""
    made_by = evidence.orders.by_client_id.get(log.orders[trade.account, trade.order_id].client_id)
    if made_by is None:
        return True
    is_known = (trade.symbol, trade.side, trade.trade_id) in fills
    return not is_known and evidence.may_be_news(trade.at_ms, made_by)


def _add_trade(flows: Flows, log: ExchangeLog, symbol: str, trade: LogTrade | OrderFilled) -> None:
    rules = log.rules_of(symbol)
    if rules:
        side = trade.side if isinstance(trade, LogTrade) else trade.order.side
        sign = 1 if side == "buy" else -1
        flows[rules[0].base] += sign * trade.quantity
        flows[rules[0].quote] -= sign * trade.quote_quantity
    flows[trade.fee_asset] -= trade.fee


def _judge_transfers_seen(
    executor: Journal, log: ExchangeLog, account: str, theirs: Sequence[LogTrade], judge: Judge
) -> None:
    """Money that came or went since the books were opened must be in its journal, be it without the exchange's word."""
    moved: Flows = defaultdict(Decimal)
    seen: Flows = defaultdict(Decimal)
    began_ns = _began_ns(executor)
    for transfer in log.transfers:
        if transfer.account == account and began_ns is not None and transfer.at_ms * NS_PER_MS >= began_ns:
            moved[transfer.asset] += transfer.amount
    for outside in executor.of(OutsideSeen):
        if outside.body.kind in MONEY_MOVED:
            seen[outside.body.asset] += outside.body.quantity
    uncertain = {} if began_ns is None else _while_opening(log, account, theirs, began_ns)
    for asset in moved.keys() | seen.keys():
        what = f"{moved[asset]} {asset} came or went by another hand, the executor saw {seen[asset]}"
        in_the_opening = _sums_of(uncertain.get(asset, ())[:OPENING_MOVES_MAX])
        judge.hold("I11", what, Place(LOG), holds=moved[asset] - seen[asset] in in_the_opening)


def _while_opening(
    log: ExchangeLog, account: str, theirs: Sequence[LogTrade], began_ns: int
) -> Mapping[str, Sequence[Decimal]]:
    """Return by asset by how much less may be seen than moved, each amount for itself.

    What moved or was traded by hand while the balances were being read that the books began with may be in them, or
    not: a trade that is counted again is taken back once that shows. What came right before that may be seen although
    it does not count: a reading may be of a moment ago.
    """
    from_ns, to_ns = began_ns - READ_LAG_NS, began_ns + OPENING_NS_MAX
    moves: list[tuple[int, Mapping[str, Decimal]]] = [
        (moved.at_ms, {moved.asset: moved.amount}) for moved in log.transfers if moved.account == account
    ]
    near = [trade for trade in theirs if from_ns <= trade.at_ms * NS_PER_MS <= to_ns]
    moves += [(trade.at_ms, _changed_by(trade, log)) for trade in near]
    amounts: defaultdict[str, list[Decimal]] = defaultdict(list)
    for at_ms, changed in moves:
        if from_ns <= at_ms * NS_PER_MS <= to_ns:
            is_counted = at_ms * NS_PER_MS >= began_ns
            for asset, amount in changed.items():
                amounts[asset].append(amount if is_counted else -amount)
    return amounts


def _changed_by(trade: LogTrade, log: ExchangeLog) -> Mapping[str, Decimal]:
    changed: Flows = defaultdict(Decimal)
    _add_trade(changed, log, trade.symbol, trade)
    return changed


def _sums_of(amounts: Sequence[Decimal]) -> set[Decimal]:
    """Return what any of the amounts are together."""
    sums = {ZERO}
    for amount in amounts:
        sums |= {total + amount for total in sums}
    return sums


def _began_ns(executor: Journal) -> int | None:
    """Return since when money is counted: what was there before is in the balances that the books were opened with."""
    opened = [one.body.venue_time_ns for one in executor.of(OutsideSeen) if one.body.kind == "opening"]
    if opened:
        return min(opened)
    return executor.records[0].wall_ns if executor.records else None
