"""Closes what shall be flat, and says whether it is. Pure.

What is held or worked within a flatten gets an exit down to nothing, and `shared/execution/working.py` works that like
any other. Once nothing is left, the venue is asked: FLAT is told with the pass of reconciliation that began after the
last change, held the balances against the books, was clean, and after which nothing was sent or filled. As long as that
is not so, NOT FLAT is told with the reason: at once where something known stands in the way, and every half a minute in
any case. Nothing is given up by it, until an operator calls it off, or clears its latch: what is left is covered again
then, and not sold.

A step is whatever is written down of orders and exits on the way, an answer of the venue about an order, or a second in
which something known stands in the way. Whoever watches takes over where none comes for too long.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from proto.control import ControlDone, ControlRefused, ResumeEntries
from proto.control import Flatten as FlattenAsked
from proto.envelope import Body
from proto.fields import Symbol, clipped
from proto.orders import (
    CancelMarked,
    EntryEnded,
    ExitEnded,
    ExitOpened,
    FlatnessTold,
    FlattenBegun,
    FlattenCalledOff,
    OrderAcknowledged,
    OrderDoubted,
    OrderEnded,
    OrderFilled,
    OutsideSeen,
    PositionChanged,
    ReconcileFinished,
    SendMarked,
)
from proto.risk import Everything, OfSymbol
from shared.core.durations import duration
from shared.core.service import FromOutside, Moment, Report, ShowFlattenStep
from shared.execution.allowance import Allowance
from shared.execution.books import Books, Place
from shared.execution.flattens import Flatten, exit_id_of
from shared.execution.governor import Governor
from shared.execution.hearing import Hearing
from shared.execution.reconciliation import Reconciler
from shared.execution.vocabulary import OrderRead
from shared.execution.working import Worker
from shared.trading.amounts import ZERO

FIRST_NS: Final = 10_000_000_000  # until NOT FLAT is told though nothing is known to stand in the way
AGAIN_NS: Final = 30_000_000_000
NS_PER_SECOND: Final = 1_000_000_000
WAITED_NS: Final = NS_PER_SECOND
UNCOMPARED: Final = "while an order is in doubt, balances are not held against the books"
NOT_DONE: Final = frozenset({"rejected", "absent", "expired"})  # how an order ends that the venue did not work

OfOrder = CancelMarked | SendMarked | OrderAcknowledged | OrderDoubted | OrderEnded | OrderFilled


class _Telling(msgspec.Struct):
    """What was said of a flatten in this life."""

    next_ns: int
    has_said_why: bool = False
    words: str = ""  # of the last NOT FLAT
    is_asked: bool = False  # the venue, since nothing is left


class Flattening:
    """Takes the next step of every flatten."""

    def __init__(
        self, *, books: Books, reconciler: Reconciler, allowance: Allowance, governor: Governor, worker: Worker
    ) -> None:
        self._books: Final = books
        self._reconciler: Final = reconciler
        self._allowance: Final = allowance
        self._governor: Final = governor
        self._worker: Final = worker
        self._tellings: dict[str, _Telling] = {}
        self._refused: Final[dict[Place, str]] = {}  # why an order that brings a place down came to nothing
        self._clean_pass: int | None = None  # the last one, if nothing was sent or filled since
        self._differs = ""
        self._hearing: Final = Hearing()
        self._step = self._shown = 0
        self._waited_ns = 0

    def asked(self, wanted: FlattenAsked, now: Moment) -> tuple[Sequence[Report], ControlDone | ControlRefused]:
        """Begin to flatten because somebody wants it, unless that is under way."""
        going = self._books.flattens.going
        for one in going.values():
            if one.symbol in {None, wanted.symbol}:
                return (), ControlDone(f"it is under way: {one.flatten_id}")
        if wanted.symbol is not None and not self._is_known(wanted.symbol):
            reason = f"{wanted.symbol} is not traded here, and nothing is held of it"
            return (), ControlRefused("symbol_is_traded", reason)
        flatten_id = f"flatten-{now.wall_ns + len(going)}"
        begun = FlattenBegun(flatten_id, wanted.symbol, wanted.actor, wanted.reason)
        what = wanted.symbol or "everything"
        return (Report(begun, reducing=True),), ControlDone(f"{what} is closed until nothing is left: {flatten_id}")

    def called_off(self, resume: ResumeEntries, cause_id: str) -> Sequence[Report]:
        """Return the end of what somebody wants flat no longer, of one symbol or of all; a latch has to be cleared."""
        going = self._books.flattens.without_latch()
        ended = [one for one in going if resume.scope in {Everything(), one.symbol and OfSymbol(one.symbol)}]
        return [Report(FlattenCalledOff(one.flatten_id, resume.actor, resume.reason), cause_id) for one in ended]

    def due(self, now: Moment) -> Sequence[Report]:
        """Return what is to be written down next."""
        flattens = self._books.flattens
        if ended := self._ended():
            return ended
        if not flattens.going:
            return ()
        self._tellings = {name: told for name, told in self._tellings.items() if name in flattens.going}
        opened = [
            report
            for place in self._books.places()
            for flatten in list(flattens.concerning(place[1]))[:1]
            if (report := self._exit(flatten, place)) is not None
        ]
        if opened:
            return opened
        for flatten in flattens.going.values():
            told = None if flatten.is_flat else self._told(flatten, now)
            if told is not None:
                return (Report(told, reducing=True),)
        return ()

    def recorded(self, body: Body, now: Moment) -> None:
        """Take in what is durable, in this life."""
        match body:
            case (
                CancelMarked() | SendMarked() | OrderAcknowledged() | OrderDoubted() | OrderEnded() | OrderFilled()
            ) as told:
                self._step += self._is_going(told.order.symbol)
                self._order_told(told)
            case EntryEnded(symbol=symbol) | ExitOpened(symbol=symbol) | ExitEnded(symbol=symbol):
                self._step += self._is_going(symbol)
                self._changed(symbol)
            case PositionChanged(symbol=symbol):
                self._changed(symbol)
            case OutsideSeen(symbol=seen):
                self._changed(seen)
            case ReconcileFinished(pass_number=number, clean=clean, differences=differences):
                is_shown = clean and self._reconciler.has_compared
                self._clean_pass = number if is_shown else None
                self._differs = "; ".join(differences) or ("" if is_shown else UNCOMPARED)
            case FlattenBegun():
                self._step += 1
            case FlatnessTold():
                self._said(body, now)
            case _:
                pass

    def answered(self, told: FromOutside, now: Moment) -> None:
        """Take in what the venue answers: how an order stands is a step."""
        self._hearing.told(told, now)
        if isinstance(told, OrderRead) and told.failure is None:
            order = self._books.orders.get(told.client_order_id)
            self._step += order is not None and self._is_going(order.key.symbol)

    def shown(self) -> list[ShowFlattenStep]:
        """Return what others see of the steps, where there are more than they know of."""
        if self._shown == self._step:
            return []
        self._shown = self._step
        return [ShowFlattenStep(self._step)]

    def worries(self) -> list[str]:
        """Return what was told last of whatever is not flat, and still shall be; the same words once."""
        going = self._books.flattens.going
        words = [told.words for name, told in self._tellings.items() if name in going and told.words]
        return [f"NOT FLAT: {what}" for what in dict.fromkeys(words)]

    def words(self) -> list[str]:
        """Return what was read back."""
        flat = (one for one in self._books.flattens.going.values() if one.is_flat)
        return [f"FLAT: nothing is held any more, as {one.actor} wanted" for one in flat]

    def _is_going(self, symbol: Symbol) -> bool:
        return any(not flatten.is_flat for flatten in self._books.flattens.concerning(symbol))

    def _is_known(self, symbol: Symbol) -> bool:
        return symbol in self._worker.instruments or any(symbol == known for _, known in self._books.places())

    def _exit(self, flatten: Flatten, place: Place) -> Report | None:
        """Return what brings a place down to nothing, unless something does."""
        found = self._books.exits.get(place)
        if (found is not None and not found.target_quantity) or not self._is_left(place):
            return None
        strategy, symbol = place
        opened = ExitOpened(
            exit_id=exit_id_of(flatten.flatten_id, f"{strategy}:{symbol}"),
            strategy=strategy,
            symbol=symbol,
            target_quantity=ZERO,
            asked_by=flatten.actor,
            reason=flatten.reason,
        )
        return Report(opened, cause_id=flatten.flatten_id, reducing=True)

    def _ended(self) -> list[Report]:
        """Return the end of each exit whose flatten is over, once no order of it is on its way."""
        return [
            Report(
                ExitEnded(found.exit_id, *place, quantity_left=ZERO, reason="nobody wants it flat any longer"),
                cause_id=found.exit_id,
                reducing=True,
            )
            for place, found in self._books.exits.items()
            if found.is_of_flatten
            and not any(self._books.flattens.concerning(place[1]))
            and all(order.key.purpose != "exit" for order in self._books.working(place))
        ]

    def _is_left(self, place: Place) -> bool:
        """Say whether something is held or worked at a place; of what was oversold nothing can be brought down."""
        is_worked = place in self._books.exits or self._books.is_entered(place) or self._books.working(place)
        return bool(is_worked or self._books.positions.of(*place).owned)

    def _told(self, flatten: Flatten, now: Moment) -> FlatnessTold | None:
        """Return what is to be said of a flatten now."""
        telling = self._tellings.setdefault(flatten.flatten_id, _Telling(now.boot_ns + FIRST_NS))
        left = self._left(flatten)
        if not left and not telling.is_asked:
            self._reconciler.soon()  # a pass that is under way may have begun before the last change
            telling.is_asked, self._clean_pass = True, None
        if not left and self._clean_pass is not None:
            return FlatnessTold(flatten.flatten_id, is_flat=True, pass_number=self._clean_pass, reason=_dust(flatten))
        obstacle = self._obstacle(left, now)
        self._wait(obstacle, now)
        if now.boot_ns < telling.next_ns and (obstacle is None or telling.has_said_why):
            return None
        words = obstacle or "; ".join(filter(None, (self._hearing.words(now), self._unfinished(left))))
        return FlatnessTold(flatten.flatten_id, is_flat=False, pass_number=self._books.passes, reason=clipped(words))

    def _left(self, flatten: Flatten) -> list[Place]:
        return [place for place in self._books.places() if flatten.concerns(place[1]) and self._is_left(place)]

    def _obstacle(self, left: Sequence[Place], now: Moment) -> str | None:
        """Say what is known to stand in the way."""
        for place in left:
            strategy, symbol = place
            if symbol not in self._worker.instruments and self._worker.instruments:
                return f"the venue does not list {symbol}, of which {strategy} holds some"
            if (why := self._worker.selling.why_stuck(place)) is not None:
                return why
            if place in self._refused:
                return f"{symbol} of {strategy}: {self._refused[place]}"
        if left and self._allowance.is_left_alone(now):
            for_s = duration(self._allowance.left_alone_ns(now) / NS_PER_SECOND)
            return f"the venue takes no orders for a while, another {for_s}: there were too many requests"
        is_to_sell = any(not self._books.working(place) for place in left)
        return self._governor.refusal(now.boot_ns) if is_to_sell else None

    def _unfinished(self, left: Sequence[Place]) -> str:
        if not left:
            return f"nothing is left, and the venue has not shown it yet. {self._differs}".strip()
        held = (f"{self._books.positions.of(*place).owned:f} {place[1]} of {place[0]}" for place in left)
        return f"at work: {', '.join(held)}"

    def _wait(self, obstacle: str | None, now: Moment) -> None:
        if obstacle is not None and now.boot_ns - self._waited_ns >= WAITED_NS:
            self._waited_ns = now.boot_ns
            self._step += 1

    def _said(self, told: FlatnessTold, now: Moment) -> None:
        flatten, telling = self._books.flattens.going.get(told.flatten_id), self._tellings.get(told.flatten_id)
        if flatten is not None and telling is not None:
            telling.next_ns, telling.words = now.boot_ns + AGAIN_NS, "" if told.is_flat else told.reason
            telling.has_said_why = self._obstacle(self._left(flatten), now) is not None

    def _order_told(self, body: OfOrder) -> None:
        place = body.order.strategy, body.order.symbol
        if isinstance(body, SendMarked | OrderFilled):
            self._clean_pass = None
        if isinstance(body, OrderEnded) and body.order.side == "sell":
            if body.ending in NOT_DONE and not body.executed_quantity:
                self._refused[place] = f"its order is {body.ending}: {body.reason}"
        elif isinstance(body, OrderAcknowledged | OrderFilled):
            self._refused.pop(place, None)
        if not isinstance(body, CancelMarked):
            self._changed(place[1])

    def _changed(self, symbol: Symbol | None) -> None:
        """Let the venue be asked anew by whatever flatten has this symbol; without one, by all."""
        for flatten_id, telling in self._tellings.items():
            flatten = self._books.flattens.going.get(flatten_id)
            if flatten is not None and (symbol is None or flatten.concerns(symbol)):
                telling.is_asked = False


def _dust(flatten: Flatten) -> str:
    if not flatten.dust:
        return ""
    left = ", ".join(f"{quantity:f} {what}" for what, quantity in flatten.dust.items())
    return clipped(f"what is left is nobody's: {left}")
