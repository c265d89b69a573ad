"""Ways to break each promise: what is changed in a life that keeps all of them, and which is then broken."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.checker.changes import (
    SECOND_NS,
    absent_at_exchange,
    another_life,
    approved_for_a_sale,
    back_from_absence,
    bare_in_the_end,
    both_approvals,
    counted_back,
    crowd,
    day_again,
    deposit_unseen,
    early_reads,
    ended_again,
    entry_again,
    fill_twice,
    filled_in_part_after_its_cancel,
    late_mark,
    least_quantity,
    mark,
    never_doubted,
    never_ended,
    never_protected,
    no_longer_cleared,
    no_protection,
    on_the_account,
    opened,
    other_order,
    pause_before,
    position_untold,
    reserved_in_all,
    send_another,
    served_late,
    set_at_exchange,
    small_stop,
    stop_doubted,
    stop_not_heard_of,
    swap_end_and_begin,
    unprotected,
    unprotected_for_long,
    without_reads,
)
from tests.checker.story import Story, client_id
from tests.checker.wire import START_BOOT_NS


@dataclass(frozen=True)
class Broken:
    """One promise, how it is broken, and the words the checker must have for it."""

    invariant: str
    how: str
    break_it: Callable[[Story], object]
    says: str

    def __str__(self) -> str:
        """Name the case for pytest."""
        return f"{self.invariant} {self.how}"


APPROVALS: Final = (
    Broken("I1", "never opened", lambda s: s.without(opened(s)), "of which 0 were opened before"),
    Broken("I1", "opened after", lambda s: s.move(opened(s), s.of_order("e1", "order_acknowledged.1")), "of which 0"),
    Broken("I1", "never approved", lambda s: s.without(s.of_risk("intent_judged.1")), "risk never approved a1"),
    Broken("I1", "approved later", lambda s: setattr(s.of_risk("intent_judged.1"), "at_ms", 155), "before it was app"),
    Broken("I1", "words changed", lambda s: opened(s).set(approval__quantity_max="0.6"), "with other words"),
    Broken("I1", "other side", lambda s: both_approvals(s, side="sell"), "is sent,"),
    Broken("I1", "other strategy", lambda s: mark(s, "e1").set(order__strategy="grid"), "is sent,"),
    Broken("I1", "other symbol", lambda s: mark(s, "e1").set(order__symbol="ETH/USDT"), "is sent,"),
    Broken("I1", "asked otherwise", lambda s: s.of_risk("intent_judged.1").set(intent__side="sell"), "was asked for"),
    Broken("I1", "worse than asked", lambda s: s.of_risk("intent_judged.1").set(intent__price_worst="100"), "worse"),
    Broken("I1", "worse than asked, sold", approved_for_a_sale, "worse"),
    Broken("I1", "above the band", lambda s: mark(s, "e1").set(limit_price="101.01"), "is not within"),
    Broken("I1", "below the band", lambda s: mark(s, "e1").set(limit_price="98.99"), "is not within"),
    Broken("I1", "too much", lambda s: mark(s, "e2").set(quantity="0.301"), "may be filled"),
    Broken("I1", "old lease", lambda s: mark(s, "e1").set(lease_age_ns=2 * SECOND_NS + 1), "the lease was"),
    Broken("I1", "no lease", lambda s: mark(s, "e1").set(lease_age_ns=None), "the lease was None"),
    Broken("I1", "too late", lambda s: both_approvals(s, work_until_boot_ns=START_BOOT_NS), "after work_until"),
    Broken("I1", "after another boot", lambda s: setattr(mark(s, "e1"), "boot_id", "boot-2"), "after another boot"),
    Broken("I1", "both verdicts", lambda s: s.of_risk("intent_judged.1").set(approval=None), "neither approved nor"),
    Broken("I2", "opened twice", lambda s: s.again(opened(s)), "opened a second time"),
    Broken("I2", "approved twice", lambda s: s.again(s.of_risk("intent_judged.1")), "given a second time"),
    Broken("I2", "same intent", lambda s: s.nth("entry_opened.1", 1).set(approval__intent_id="i1"), "the intent i1"),
    Broken("I2", "after its end", lambda s: send_another(s, "e9", "a1", 460, before=mark(s, "c2")), "had ended"),
    Broken("I25", "after start_by", lambda s: both_approvals(s, start_by_boot_ns=START_BOOT_NS), "after start_by"),
    Broken("I25", "epoch of risk", lambda s: both_approvals(s, risk_epoch=16), "under epoch 16"),
    Broken("I25", "resumed", lambda s: another_life(s, mark(s, "e1"), 8), "none is resumed"),
    Broken("I25", "old boot", lambda s: setattr(s.of_risk("intent_judged.1"), "boot_id", "boot-0"), "before this boot"),
)
SENDING: Final = (
    Broken("I3", "not marked", lambda s: s.without(mark(s, "x1")), "never marked"),
    Broken("I3", "marked after", late_mark, "it was at the exchange"),
    Broken("I3", "request only", lambda s: s.without(mark(s, "e5")), "never marked"),
    Broken("I4", "name used again", lambda s: s.again(mark(s, "e1")), "was used before"),
    Broken(
        "I4", "sent twice", lambda s: s.venue.received(165, "order.place", newClientOrderId=client_id("e1")), "sent 2"
    ),
    Broken("I4", "two orders", lambda s: other_order(s, "e2")[-1].update(order_id=99), "has 2 orders of this name"),
    Broken("I4", "too much executed", lambda s: set_at_exchange(s, "e2", filled="0.4"), "were executed for i1"),
    Broken("I4", "two at a time", swap_end_and_begin, "was still open"),
    Broken("I5", "another ending", lambda s: s.of_order("e1", "order_ended.1").set(ending="expired"), "called expired"),
    Broken("I5", "open there", lambda s: set_at_exchange(s, "e4", status="NEW"), "open at the exchange"),
    Broken("I5", "filled there after fills", filled_in_part_after_its_cancel, "the exchange says filled"),
    Broken("I5", "filled there", lambda s: set_at_exchange(s, "e4", status="FILLED"), "the exchange says filled"),
    Broken("I5", "expired there", lambda s: set_at_exchange(s, "x1", status="EXPIRED"), "the exchange says expired"),
    Broken("I5", "not ended here", lambda s: s.without(s.of_order("e4", "order_ended.1")), "is not called ended"),
    Broken("I5", "more executed", lambda s: set_at_exchange(s, "e4", filled="0.1"), "were executed"),
    Broken("I5", "another price", lambda s: set_at_exchange(s, "x1", filled_quote="50.7"), "were executed"),
    Broken("I5", "unknown there", lambda s: s.of_order("e5", "order_ended.1").set(ending="canceled"), "knows nothing"),
    Broken(
        "I5", "refused yet filled", lambda s: s.of_order("e1", "order_ended.1").set(ending="rejected"), "rejected with"
    ),
    Broken("I6", "overlap", lambda s: s.move(s.of_order("e1", "order_ended.1"), mark(s, "c2")), "had not ended"),
    Broken(
        "I6",
        "exits overlap",
        lambda s: send_another(s, "x2", "exit-1", 2_061, before=s.of_order("x1", "order_ended.1")),
        "had not",
    ),
    Broken(
        "I6", "after doubt", lambda s: send_another(s, "e9", "a2", 8_405, before=s.nth("entry_ended.1", 1)), "in doubt"
    ),
    Broken("I6", "entry sent again", entry_again, "is child 1 of its parent, as"),
    Broken("I6", "stop sent again", lambda s: mark(s, "c2").set(child_number=1), "is child 1 of its parent, as"),
    Broken(
        "I7", "too early", lambda s: setattr(s.of_order("e3", "order_ended.1"), "at_ms", 8_050), "could still arrive"
    ),
    Broken("I7", "nobody asked", without_reads, "by 0 readings"),
    Broken("I7", "asked too early", early_reads, "too early ones"),
    Broken("I7", "it was there", absent_at_exchange, "the exchange has it"),
    Broken("I7", "it was sent", never_doubted, "the exchange received it"),
    Broken("I7", "taken back", back_from_absence, "knows it to be at the exchange"),
    Broken("I17", "too many a minute", crowd, "within a minute"),
    Broken("I21", "lower epoch", lambda s: setattr(s.executor[-1], "epoch", 6), "after epoch 8"),
    Broken("I21", "another writer", lambda s: setattr(s.executor[3], "sender", "flattener"), "written by flattener"),
)
ORDERS: Final = (
    Broken(
        "I9",
        "ended, then cancelled",
        ended_again,
        "cannot be canceled",
    ),
    Broken(
        "I9",
        "cancelled while marked",
        lambda s: s.without(s.of_order("c1", "order_acknowledged.1")),
        "cannot be cancel_sent",
    ),
    Broken(
        "I9",
        "absent though resting",
        lambda s: s.of_order("e4", "order_ended.1").set(ending="absent"),
        "cannot be absent",
    ),
    Broken("I9", "other words", lambda s: s.of_order("e1", "order_filled.1").set(order__side="sell"), "in other words"),
    Broken("I9", "never marked", lambda s: s.without(mark(s, "x1")), "not marked before"),
    Broken(
        "I9",
        "told before it was marked",
        lambda s: s.move(s.of_order("e1", "order_acknowledged.1"), mark(s, "e1")),
        "not marked before",
    ),
    Broken("I8", "counted twice", fill_twice, "a second time"),
    Broken(
        "I8", "cumulated wrong", lambda s: s.of_order("e1", "order_filled.1").set(cumulative_quantity="0.3"), "together"
    ),
    Broken("I8", "more than ordered", lambda s: mark(s, "x1").set(quantity="0.4"), "are filled of 0.4"),
    Broken(
        "I8", "quote wrong", lambda s: s.of_order("e1", "order_filled.1").set(quote_quantity="20.1"), "are not 20.1"
    ),
    Broken("I8", "fee without asset", lambda s: s.of_order("e1", "order_filled.1").set(fee_asset=""), "in no asset"),
    Broken("I8", "nothing filled", lambda s: s.of_order("e1", "order_filled.1").set(quantity="0"), "it filled nothing"),
    Broken("I8", "fee of another", lambda s: s.of_order("x1", "order_filled.1").set(fee="0.03"), "it is told as"),
    Broken(
        "I8",
        "other price",
        lambda s: s.of_order("x1", "order_filled.1").set(price="102.1", quote_quantity="30.63"),
        "told as",
    ),
    Broken("I8", "other liquidity", lambda s: s.of_order("x1", "order_filled.1").set(liquidity="maker"), "told as"),
    Broken("I8", "no such trade", lambda s: s.of_order("x1", "order_filled.1").set(trade_id=7), "no such trade"),
    Broken("I8", "fill missing", lambda s: s.without(s.of_order("e1", "order_filled.1")), "in no record"),
    Broken(
        "I8",
        "ended with less",
        lambda s: s.of_order("e1", "order_ended.1").set(executed_quantity="0.1"),
        "it ends with",
    ),
    Broken(
        "I8", "average wrong", lambda s: s.of_order("e1", "order_ended.1").set(average_price="100.01"), "the average"
    ),
    Broken(
        "I8", "filled in part", lambda s: s.of_order("e1", "order_ended.1").set(ending="filled"), "called filled at"
    ),
    Broken("I10", "not the sum", lambda s: s.nth("position_changed.1", 2).set(quantity="0.5"), "its fills are 0.4995"),
    Broken("I10", "fee forgotten", lambda s: s.nth("position_changed.1").set(quantity="0.2"), "its fills are 0.1998"),
    Broken("I10", "let go unsaid", lambda s: s.without(s.nth("exit_ended.1")), "said to hold 0 "),
    Broken("I10", "grown", lambda s: s.nth("position_changed.1", 5).set(quantity="0.1"), "said to hold 0.1"),
    Broken("I10", "turned", lambda s: s.nth("position_changed.1", 5).set(quantity="-0.0001"), "said to hold -0.0001"),
    Broken("I10", "never told", position_untold, "nobody was told"),
    Broken("I11", "a digit more", lambda s: on_the_account(s, "USDT", "0.00000001"), "demo has"),
    Broken("I11", "fee not counted", lambda s: s.of_order("e1", "order_filled.1").set(fee="0"), "demo has"),
    Broken("I11", "third asset", lambda s: on_the_account(s, "BNB", "-0.1"), "demo has"),
    Broken("I11", "deposit not seen", deposit_unseen, "by another hand"),
    Broken("I12", "no tick", lambda s: mark(s, "e1").set(limit_price="100.001"), "no multiple of 0.01"),
    Broken("I12", "no stop tick", lambda s: mark(s, "c1").set(stop_price="95.001"), "no multiple of 0.01"),
    Broken("I12", "no step", lambda s: mark(s, "c1").set(quantity="0.1985"), "no multiple of 0.001"),
    Broken("I12", "too little", lambda s: mark(s, "e1").set(quantity="0.04"), "are less than 5"),
    Broken("I12", "for nothing", lambda s: mark(s, "c1").set(quantity="0"), "it is for nothing"),
    Broken("I12", "below the least", least_quantity, "from 0.3 up"),
    Broken("I12", "below nothing", lambda s: mark(s, "e1").set(quantity="-1"), "is not 0 or more"),
    Broken("I12", "nothing with a sign", lambda s: mark(s, "e1").set(quantity="-0"), "is not 0 or more"),
    Broken("I12", "price of nothing", lambda s: mark(s, "e1").set(limit_price="0"), "is not above 0"),
    Broken("I12", "odd spelling", lambda s: mark(s, "e1").set(quantity="5e-1"), "as it is spelled here"),
    Broken("I12", "limit without price", lambda s: mark(s, "e1").set(limit_price=None), "with limit None"),
    Broken("I12", "NaN", lambda s: mark(s, "e1").set(limit_price="NaN"), "cannot be read"),
    Broken("I12", "number for text", lambda s: mark(s, "e1").set(quantity=0.5), "no decimal text"),
    Broken("I12", "no such type", lambda s: mark(s, "e1").set(order_type="iceberg"), "is none of"),
    Broken("I19", "six seconds bare", unprotected, "without stop or exit"),
    Broken("I19", "till it was protected", unprotected_for_long, "is bare for 26100000000 ns"),
    Broken("I19", "bare for long, and in the end", never_protected, "in the end it is bare"),
    Broken("I19", "stop not heard of", stop_not_heard_of, "is bare"),
    Broken("I19", "long in doubt", lambda s: stop_doubted(s, by_ms=16_000), "without stop or exit"),
    Broken("I19", "stop of another", lambda s: no_protection(s, order__strategy="grid"), "is bare"),
    Broken("I19", "no stop but a limit", lambda s: no_protection(s, order_type="limit"), "is bare"),
    Broken("I19", "no stop but an exit", lambda s: no_protection(s, order__purpose="exit"), "is bare"),
    Broken("I19", "bare in the end", bare_in_the_end, "in the end it is bare"),
    Broken(
        "I19",
        "too small a stop",
        small_stop,
        "is bare",
    ),
)
CONTROL: Final = (
    Broken("I13", "paused everywhere", lambda s: pause_before(s, 20, ["everything"]), "ada has paused"),
    Broken("I13", "paused symbol", lambda s: pause_before(s, 20, ["symbol", "BTC/USDT"]), "ada has paused"),
    Broken("I13", "paused strategy", lambda s: pause_before(s, 20, ["strategy", "trend"]), "ada has paused"),
    Broken("I14", "under a condition", no_longer_cleared, "outside_activity (REDUCE_ONLY)"),
    Broken("I14", "not reconciled", lambda s: s.without(s.nth("reconcile_finished.1")), "not yet held"),
    Broken("I14", "not clean", lambda s: s.nth("reconcile_finished.1").set(clean=False), "not yet held"),
    Broken("I14", "of another life", lambda s: s.without(s.nth("reconcile_finished.1", 1)), "in epoch 8"),
    Broken("I15", "served late", lambda s: served_late(s, by_ms=2_000), "nothing says why"),
    Broken("I15", "said late", lambda s: served_late(s, by_ms=6_000, said_ms=(4_100,)), "nothing says why"),
    Broken("I15", "said once only", lambda s: served_late(s, by_ms=35_000, said_ms=(3_000,)), "nothing says why"),
    Broken("I15", "oversold", lambda s: s.of_order("x1", "order_filled.1").set(quantity="0.6"), "after this"),
    Broken("I16", "exposure", lambda s: s.of_risk("intent_judged.1").set(exposure_quote="2960"), "are exposed"),
    Broken("I16", "position", lambda s: both_approvals(s, decision_price="2001", reserved_quote="1001"), "1000 is the"),
    Broken("I16", "order", lambda s: both_approvals(s, decision_price="1001", reserved_quote="501"), "the most"),
    Broken("I16", "entries a day", lambda s: s.of_risk("intent_judged.1", 3).set(entries_today=10), "10 entries were"),
    Broken("I18", "too little reserved", lambda s: both_approvals(s, reserved_quote="49"), "are reserved for 50"),
    Broken("I18", "freed twice", lambda s: s.again(s.of_risk("reservation_freed.1")), "was not reserved"),
    Broken(
        "I18",
        "together too much",
        reserved_in_all,
        "are reserved, 100.00 is the most",
    ),
    Broken("I20", "a day twice", day_again, "no later day"),
    Broken("I20", "no midnight", lambda s: s.of_risk("day_begun.1").set(day_start_ns=1), "no midnight"),
    Broken(
        "I20",
        "counted back",
        counted_back,
        "where 1 were before",
    ),
    Broken("I20", "day over", lambda s: setattr(s.of_risk("intent_judged.1", 3), "at_ms", 86_400_000), "or is over"),
    Broken("I28", "by nobody", lambda s: s.of_risk("entries_resumed.1").set(actor=""), "neither who nor why"),
    Broken("I30", "entry open", lambda s: s.without(s.nth("entry_ended.1")), "entry a1 never ended"),
    Broken("I30", "exit open", lambda s: s.without(s.nth("exit_ended.1")), "exit exit-1 never ended"),
    Broken("I30", "order open", never_ended, "protects nothing"),
    Broken("I30", "not clean", lambda s: s.executor[-1].set(clean=False), "last not clean"),
    Broken("I30", "still reserved", lambda s: s.without(s.of_risk("reservation_freed.1")), "never freed"),
)
CASES: Final = (*APPROVALS, *SENDING, *ORDERS, *CONTROL)
