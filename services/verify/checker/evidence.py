"""What the checker is given to judge: three journals, the exchange's log, the limits. Any of them may be missing."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from services.verify.checker.adoption import as_one
from services.verify.checker.exchange_log import NS_PER_MS, ExchangeLog, LogOrder, last_number, read_log
from services.verify.checker.journal import Journal, read_journal
from services.verify.checker.orders import Order, Orders

PREFIX: Final = "bw-"
NS_PER_SECOND: Final = 1_000_000_000
NEWS_NS_MAX: Final = 60 * NS_PER_SECOND
NEVER: Final = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What no approval and no minute may exceed; None is not judged. Fractions are of the equity at the time."""

    exposure_fraction_max: Decimal | None = None
    position_fraction_max: Decimal | None = None
    position_quote_max: Decimal | None = None
    order_fraction_max: Decimal | None = None  # of this and the next the greater counts
    order_quote_max: Decimal | None = None
    entries_per_day_max: int | None = None
    daily_loss_fraction_max: Decimal | None = None
    daily_loss_is_by_size: bool = False
    orders_per_minute_max: int | None = None


NO_LIMITS: Final = Limits()


class Evidence:
    """All that was written down, with what follows from it for single orders.

    `written` are the journals as they are; in `executor` what the flattener did stands where the executor adopted it.
    `settled` says that nothing is under way any more: then what has not ended yet is a violation, too.
    `log_number_before` is how far the log went before the journals were read; what came later they need not know.
    `clock_bound_ns` is by how much the clocks of executor and exchange may differ.
    """

    def __init__(
        self,
        *,
        executor: Journal | None,
        risk: Journal | None,
        log: ExchangeLog | None,
        flattener: Journal | None = None,
        limits: Limits = NO_LIMITS,
        settled: bool = False,
        log_number_before: int | None = None,
        clock_bound_ns: int = NS_PER_SECOND,
    ) -> None:
        self.written: Final = {"executor": executor, "risk": risk, "flattener": flattener}
        self.executor: Final = as_one(executor, flattener)
        self.risk: Final = risk
        self.log: Final = log
        self.limits: Final = limits
        self.settled: Final = settled
        self.clock_bound_ns: Final = clock_bound_ns
        self.orders: Final = Orders(self.executor)
        self.last_wall_ns: Final = 0 if executor is None else executor.last_wall_ns
        self.at_exchange: Final[dict[str, list[LogOrder]]] = {}  # by client id
        for placed in () if log is None else log.ours():
            self.at_exchange.setdefault(placed.client_id, []).append(placed)
        self.of_this_version_from: Final = _of_this_version_from(executor, self.orders)
        self._log_number_before: Final = log_number_before

    def may_be_news(self, at_ms: int, order: Order) -> bool:
        """Say whether an executor that runs need not know yet what the exchange did with an order at a time.

        Of an order that it called ended it knew everything until then. Otherwise it has a minute to hear of it.
        """
        at_ns = at_ms * NS_PER_MS
        known = order.ended is not None and at_ns <= order.last.wall_ns
        return not self.settled and not known and self.last_wall_ns < at_ns + NEWS_NS_MAX

    def is_newer_than_journals(self, log_number: int) -> bool:
        """Say whether a line of the log may be newer than the journals as they were read."""
        return self._log_number_before is not None and log_number > self._log_number_before


def _of_this_version_from(executor: Journal | None, orders: Orders) -> int:
    """Return the first record of the executor's journal of which it is known that no older version wrote it.

    The pages of older ones do not say of which account they are, and they sent entries at the market.
    """
    page = None if executor is None else executor.of_account_from
    marks = (order.mark for order in orders.all() if order.mark.body.order.purpose == "entry")
    at_limit = (mark.sequence for mark in marks if mark.body.order_type != "market")
    return min(next(at_limit, NEVER), NEVER if page is None else page + 1)


def gathered(
    *,
    executor: Path | None = None,
    risk: Path | None = None,
    flattener: Path | None = None,
    exchange_log: Path | None = None,
    limits: Limits = NO_LIMITS,
    prefix: str = PREFIX,
    settled: bool = False,
) -> Evidence:
    """Read everything, beside processes that may be writing it: first how far the log goes, then journals, then log.

    So each order that is in the log up to there must be marked, and each fill in the journals must be in the log.
    """
    before = None if exchange_log is None or settled else last_number(exchange_log)
    return Evidence(
        executor=None if executor is None else read_journal("executor", executor),
        risk=None if risk is None else read_journal("risk", risk),
        flattener=None if flattener is None else read_journal("flattener", flattener),
        log=None if exchange_log is None else read_log(exchange_log, prefix),
        limits=limits,
        settled=settled,
        log_number_before=before,
    )
