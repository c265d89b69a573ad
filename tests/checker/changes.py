"""Single changes to a life in which every promise is kept, each of which breaks one."""

from dataclasses import replace
from decimal import Decimal
from typing import Final

from tests.checker.story import SYMBOL, Story, client_id
from tests.checker.venue import START_MS
from tests.checker.wire import NS_PER_MS, Said, word

SECOND_NS: Final = 1_000 * NS_PER_MS


def mark(story: Story, name: str) -> Said:
    """Return the send mark of an order."""
    return story.of_order(name, "send_marked.1")


def opened(story: Story) -> Said:
    """Return the first entry opened."""
    return story.nth("entry_opened.1")


def both_approvals(story: Story, **values: object) -> None:
    """Change an approval at risk and at the executor alike."""
    for said in (opened(story), story.of_risk("intent_judged.1")):
        said.set(**{f"approval__{name}": value for name, value in values.items()})


def send_another(story: Story, name: str, parent: str, at_ms: int, *, before: Said, child: int = 3) -> None:
    """Mark one more order, right before a record."""
    story.mark(at_ms, name, parent, "0.1", child=child)
    story.move(story.executor[-1], before)
    mark(story, name).epoch = before.epoch


def never_ended(story: Story) -> None:
    """Leave an order of an exit open, at the exchange too."""
    story.parents["x2"] = "exit-1"
    story.send(10_000, "x2", "exit-1", "0.1", child=2)


def fill_twice(story: Story) -> None:
    """Count a trade again, as if it were another of the order."""
    story.again(story.of_order("e1", "order_filled.1"))


def other_order(story: Story, name: str) -> list[dict[str, object]]:
    """Return the order as it is in each line of the log."""
    return [event["order"] for event in story.log_events(name)]


def set_at_exchange(story: Story, name: str, **values: object) -> None:
    """Let the exchange have said something else of the last state of an order."""
    other_order(story, name)[-1].update(values)


def log_line_of(story: Story, name: str, status: str) -> int:
    """Return where the log says that an order has a status."""
    for place, line in enumerate(story.venue.lines):
        for event in line.get("events", []):
            order = event.get("order", {})
            if (order.get("client_id"), order.get("status")) == (client_id(name), status):
                return place
    raise AssertionError(f"{name} is never {status}")


def swap_end_and_begin(story: Story) -> None:
    """Let the second child be at the exchange before the first has ended."""
    ended, begun = log_line_of(story, "e1", "CANCELED"), log_line_of(story, "e2", "NEW")
    lines = story.venue.lines
    lines.insert(begun, lines.pop(ended))


def held_up(story: Story, *, at_ms: int) -> None:
    """Let the executor say what its first exit waits for."""
    why = {"exit_id": "exit-1", "strategy": "trend", "symbol": SYMBOL, "reason": "the venue takes no orders"}
    story.says(at_ms, "exit_held_up.1", **why)
    story.executor[-1].epoch = story.executor[0].epoch
    story.executor.sort(key=lambda said: (said.epoch, said.at_ms))


def served_late(story: Story, *, by_ms: int, said_ms: tuple[int, ...] = ()) -> None:
    """Let the sale of the first exit wait, and say why at these times."""
    later(story, from_ms=2_040, by_ms=by_ms)
    for at_ms in said_ms:
        held_up(story, at_ms=at_ms)


def later(story: Story, *, from_ms: int, by_ms: int) -> None:
    """Let everything from a time on happen later, with its deadlines."""
    for said in (*story.executor, *story.risk):
        if said.at_ms >= from_ms:
            said.at_ms += by_ms
            if said.tag in {"entry_opened.1", "intent_judged.1"}:
                for deadline in ("approval.start_by_boot_ns", "approval.work_until_boot_ns"):
                    said.set(**{deadline.replace(".", "__"): said.get(deadline) + by_ms * NS_PER_MS})
            if said.tag == "order_filled.1":
                said.set(venue_time_ns=said.get("venue_time_ns") + by_ms * NS_PER_MS)
    for line in story.venue.lines:
        if line["at_ms"] >= START_MS + from_ms:
            line["at_ms"] += by_ms
            for fill in [event["fill"] for event in line.get("events", []) if event.get("fill")]:
                fill["time_ms"] += by_ms


def small_stop(story: Story) -> None:
    """Let the stop of all that was bought be for a part of it, and time pass."""
    mark(story, "c2").set(quantity="0.3")
    later(story, from_ms=2_000, by_ms=6_000)


def ended_again(story: Story) -> None:
    """Let an order that was filled be cancelled after that."""
    ended = story.of_order("e2", "order_ended.1")
    story.again(ended)
    story.executor[story.executor.index(ended) + 1].set(ending="canceled")


def position_untold(story: Story) -> None:
    """Let nobody be told of what the last sale left."""
    for told in (story.nth("position_changed.1", 5), story.nth("position_changed.1", 4)):
        story.without(told)


def reserved_in_all(story: Story) -> None:
    """Let each reservation be within the limit, and two together not."""
    story.limits = replace(story.limits, exposure_fraction_max=Decimal("0.01"))
    story.without(story.of_risk("reservation_freed.1"))


def counted_back(story: Story) -> None:
    """Let fewer entries be counted than were counted before."""
    story.of_risk("intent_judged.1").set(entries_today=1)
    story.of_risk("intent_judged.1", 1).set(entries_today=0)


def unprotected(story: Story) -> None:
    """Let the stop of what was bought come six seconds late."""
    later(story, from_ms=470, by_ms=6_000)


def unprotected_for_long(story: Story) -> None:
    """Let it come 26 seconds late, while the executor goes on writing."""
    unprotected(story)
    later(story, from_ms=6_480, by_ms=20_000)


def never_protected(story: Story) -> None:
    """Let the executor write something down six seconds after a fill, and nothing after that."""
    unprotected(story)
    last = story.of_order("c1", "cancel_marked.1")
    del story.executor[story.executor.index(last) + 1 :]


def day_again(story: Story) -> None:
    """Begin the same day a second time."""
    story.again(story.of_risk("day_begun.1"))


def crowd(story: Story) -> None:
    """Allow fewer orders a minute than there were."""
    story.limits = replace(story.limits, orders_per_minute_max=5)


def pause_before(story: Story, at_ms: int, scope: list[str]) -> None:
    """Let an operator pause entries before the first approval."""
    story.risk.insert(1, Said(at_ms, word("entries_paused.1", scope=scope, actor="ada", reason=""), "risk", 17))


def no_longer_cleared(story: Story) -> None:
    """Let a condition stand before an entry is sent."""
    standing = story.nth("condition_set.1")
    story.move(standing, mark(story, "e5"))


def deposit_unseen(story: Story) -> None:
    """Let the executor see nothing of the deposit."""
    story.without(story.nth("outside_seen.1"))


def absent_at_exchange(story: Story) -> None:
    """Let the exchange have taken the order that was proved absent."""
    story.venue.place(3_100, client_id("e3"), "BUY", kind="LIMIT", quantity="0.5")
    story.venue.end(3_200, client_id("e3"), "CANCELED")


def never_doubted(story: Story) -> None:
    """Let an order be called absent at once, as if it had not been sent, though the exchange received it."""
    story.without(story.nth("order_doubted.1"))
    story.venue.received(3_070, "POST /api/v3/order", newClientOrderId=client_id("e3"))


def without_reads(story: Story) -> None:
    """Let nobody have asked the exchange for the order in doubt."""
    story.venue.lines[:] = [line for line in story.venue.lines if not str(line.get("endpoint")).startswith("GET")]


def early_reads(story: Story) -> None:
    """Let the exchange be asked while the order could still arrive."""
    for line in story.venue.lines:
        if str(line.get("endpoint")).startswith("GET"):
            line["at_ms"] -= 4_000


def late_mark(story: Story) -> None:
    """Let an order be marked two seconds after the exchange had it."""
    for said in story.executor[story.executor.index(mark(story, "x1")) :]:
        said.at_ms += 2_000


def back_from_absence(story: Story) -> None:
    """Let an order that was refused be known to rest at the exchange after all."""
    ended = story.of_order("e5", "order_ended.1")
    known = Said(ended.at_ms + 1, [], epoch=ended.epoch)
    fields = {"order": list(ended.body[1]), "venue_order_id": "77", "venue_time_ns": 1}
    known.body = word("order_acknowledged.1", **fields)
    story.executor.insert(story.executor.index(ended) + 1, known)


def another_life(story: Story, said: Said, epoch: int) -> None:
    """Let everything from a record on be of another epoch."""
    for other in story.executor[story.executor.index(said) :]:
        other.epoch = epoch


def entry_again(story: Story) -> None:
    """Send the child that was proved absent a second time."""
    send_another(story, "e9", "a2", 8_405, before=story.of_order("e3", "order_ended.1"), child=1)
    story.move(story.of_order("e3", "order_ended.1"), mark(story, "e9"))


def on_the_account(story: Story, asset: str, off: str) -> None:
    """Let the exchange's last balance of an asset be another."""
    changes = [
        event
        for line in story.venue.lines
        for event in line.get("events", [])
        if event["told"] == "BalanceChanged" and event["asset"] == asset
    ]
    changes[-1]["balance"]["free"] = str(Decimal(changes[-1]["balance"]["free"]) + Decimal(off))


def stop_not_heard_of(story: Story) -> None:
    """Let nobody hear that the exchange has the stop, and time pass."""
    story.without(story.of_order("c2", "order_acknowledged.1"))
    later(story, from_ms=2_000, by_ms=6_000)


def stop_doubted(story: Story, by_ms: int) -> None:
    """Let nobody know for so long whether the exchange has the stop; then it does."""
    acknowledged = story.of_order("c2", "order_acknowledged.1")
    story.says(0, "order_doubted.1", order=story.key("c2"), http_status=None, venue_code="", reason="")
    story.move(story.executor[-1], acknowledged)
    doubted = story.executor[story.executor.index(acknowledged) - 1]
    doubted.at_ms, doubted.epoch = acknowledged.at_ms, acknowledged.epoch
    later(story, from_ms=acknowledged.at_ms, by_ms=by_ms)
    doubted.at_ms -= by_ms


def no_protection(story: Story, **changes: object) -> None:
    """Let the stop of all that was bought be something else, and time pass."""
    for said in story.executor:
        if "bw-main-c2" in str(said.body):
            said.set(**{name: value for name, value in changes.items() if name.startswith("order__")})
    mark(story, "c2").set(**changes)
    later(story, from_ms=2_000, by_ms=6_000)


def bare_in_the_end(story: Story) -> None:
    """Let everything end right after the first fill."""
    bought = story.of_order("e1", "order_filled.1")
    del story.executor[story.executor.index(bought) + 2 :]


def least_quantity(story: Story) -> None:
    """Let the exchange take nothing below 0.3."""
    story.venue.lines[1]["events"][0]["rules"]["quantity_min"] = "0.3"


def filled_in_part_after_its_cancel(story: Story) -> None:
    """Say that an order was cancelled, where the exchange says that it was filled, with no fill after that."""
    set_at_exchange(story, "e1", status="FILLED")


def approved_for_a_sale(story: Story) -> None:
    """Let risk approve the sale of an intent at less than it may be sold for."""
    judged = story.of_risk("intent_judged.1")
    judged.set(intent__side="sell", approval__side="sell", intent__price_worst="99.01")
