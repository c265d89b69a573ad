"""The guards of the account: how far equity may fall, from its peak and in a day, before trading stops. Pure.

All they know is the fold of risk's journal (`folded`), and what follows from it is said by `due`: so after any crash
the same records lead to the same trip, and whoever reads the journal later can hold each trip against them
(`replayed`). There is no second place where these rules stand.

One reading proves nothing. Two that follow each other, and that the executor's books agree with, do; and where the
books say something else, or nothing, readings of half a minute. What lifts the mark that a fall is counted from needs
the books' agreement in any case: a deposit that nobody has told of yet is no gain that could be lost again.

Money that comes or goes moves the marks by as much as it changes the account: half the money taken out leaves half the
peak. Until two readings that agree with the books have shown it, it is taken off the readings instead. Money that went
without anybody's word is no loss: without the books only what the prices took is counted, of whatever two readings that
follow each other show to be there (`shared.risk.counted`).

On the way to the day's floor lies the loss that ends the day's entries. It is proved as a trip is, written down as an
alert, and holds until the next day's start is known.

What begins to be counted, or is counted no longer, is taken for money that came or went. Of another account, or counted
in another money, everything begins anew.
"""

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from itertools import takewhile
from typing import Final, Literal, get_args

import msgspec

from proto.envelope import Envelope
from proto.fields import Asset, Digest, Id
from proto.verdicts import Alerted, DayBegun, EquityRead, FlowCounted, GuardTripped, KillCleared
from shared.risk.counted import Change, Known, changed, followed, known_by, moved
from shared.risk.reading import ARITHMETIC, Reading, reading_of

Guard = Literal["drawdown", "daily_loss"]
GUARDS: Final[tuple[Guard, ...]] = get_args(Guard)
WARNINGS: Final = (50, 80)  # percent of the way to the floor
ALL_THE_WAY: Final = 100
DAY_LOST: Final[Id] = "guard-daily_loss-entries"  # what the alert names as its cause, by which the fold knows it again

APART_NS_MIN: Final = 1_000_000_000  # by the venue's clock: two looks, and not one told twice
APART_NS_MAX: Final = 15_000_000_000  # what lies further apart does not follow each other
ALONE_NS: Final = 30_000_000_000  # so long readings last that count without the books
READINGS_MAX: Final = 40  # more than `ALONE_NS` has
PEAK_STEP: Final = Decimal("0.001")  # of the peak: what is less above it is not worth a record
ANEW: Final = Decimal("0.5")  # of the account: money that came and is more lets the guards begin anew

NOTHING: Final = Decimal(0)
ONE: Final = Decimal(1)
_EIGHT_PLACES: Final = Decimal("1E-8")
_TEN_PLACES: Final = Decimal("1E-10")


class GuardLimits(msgspec.Struct, frozen=True, kw_only=True):
    """At which loss each guard trips, and which one ends a day's entries, as a fraction of what is counted from."""

    drawdown_kill_fraction: Decimal
    daily_loss_kill_fraction: Decimal
    daily_loss_breaker_fraction: Decimal

    def of(self, guard: Guard) -> Decimal:
        """Return the limit of one."""
        return self.drawdown_kill_fraction if guard == "drawdown" else self.daily_loss_kill_fraction


class Mark(msgspec.Struct, frozen=True):
    """What a guard counts from: the peak, or the day's start. `is_due` while the next sure readings shall set it."""

    quote: Decimal | None = None
    is_due: bool = True
    warned: int = 0
    trip_id: Id | None = None  # tripped, and not cleared since
    ends_entries: bool = False  # so much of the day's start is lost that nothing is entered before the next one's

    @property
    def is_armed(self) -> bool:
        """Say whether a fall from it can be counted, and is not one already."""
        return self.quote is not None and self.quote > 0 and self.trip_id is None


class GuardState(msgspec.Struct, frozen=True):
    """All that the guards know."""

    readings: tuple[Reading, ...] = ()  # the newest of those that follow each other
    newest: tuple[int, int] = (0, 0)
    flow_quote: Decimal = NOTHING  # what came and went, and is not in the marks yet
    flows_to: int = 0  # the executor's reports up to this one are counted
    account: tuple[Digest, Asset] | None = None  # that was read, and the money that it is counted in
    # Under another name than what stood there once, so that an older page of the journal can still be read.
    known: Known = msgspec.field(default=Known(), name="shown")  # what is there, as readings last showed it
    drawdown: Mark = Mark()
    daily_loss: Mark = Mark()

    def mark(self, guard: Guard) -> Mark:
        """Return what a guard counts from."""
        return self.drawdown if guard == "drawdown" else self.daily_loss

    def net_quote(self, reading: Reading) -> Decimal:
        """Return a reading without the money that came or went and is not in the marks yet."""
        return reading.left_quote - self.flow_quote


class Trip(msgspec.Struct, frozen=True):
    """A guard has to stop trading."""

    trip_id: Id
    guard: Guard
    base_quote: Decimal
    floor_quote: Decimal
    equity_quote: Decimal
    limit: Decimal


class Warned(msgspec.Struct, frozen=True):
    """Equity has gone so much of the way to a guard's floor."""

    guard: Guard
    percent: int
    base_quote: Decimal
    floor_quote: Decimal
    equity_quote: Decimal

    @property
    def cause_id(self) -> Id:
        """Return what the alert names as its cause, by which the fold knows it again."""
        return f"guard-{self.guard}-{self.percent}"


class DayLost(msgspec.Struct, frozen=True):
    """Equity has fallen so far below the day's start that nothing more is entered on this day."""

    base_quote: Decimal
    equity_quote: Decimal
    guard: Guard = "daily_loss"
    cause_id: Id = DAY_LOST


class Recount(msgspec.Struct, frozen=True):
    """Something else is counted from a reading on: other assets, or None where it is another account or money."""

    change: Change | None


class Replayed(msgspec.Struct, frozen=True):
    """A trip of the journal, and what the records before it lead to."""

    trip: GuardTripped
    recomputed: Trip | None
    readings: tuple[Reading, ...]
    limit: Decimal  # that was in force then, by the trip itself

    @property
    def agrees(self) -> bool:
        """Say whether the records lead to that trip and to no other."""
        found, trip = self.recomputed, self.trip
        if found is None:
            return False
        told = (trip.trip_id, trip.base_quote, trip.floor_quote, trip.equity_quote)
        return told == (found.trip_id, found.base_quote, found.floor_quote, found.equity_quote)


def folded(state: GuardState, record: Envelope) -> GuardState:
    """Take in a record of risk's journal."""
    with localcontext(ARITHMETIC):
        match record.body:
            case EquityRead() as read:
                return _read(state, read)
            case FlowCounted() as flow:
                return _flowed(state, flow)
            case DayBegun():
                return _with(state, readings=(), daily_loss=_with(state.daily_loss, is_due=True))
            case GuardTripped(guard=guard, trip_id=trip_id):
                return _marked(state, guard, _with(state.mark(guard), trip_id=trip_id))
            case KillCleared():
                for guard in GUARDS:
                    if state.mark(guard).trip_id is not None:
                        state = _marked(state, guard, Mark())
                return _with(state, readings=())
            case Alerted():
                return _warned(state, record.cause_id)
            case _:
                return state


def matters(state: GuardState, limits: GuardLimits, read: EquityRead) -> bool:
    """Say whether a reading has to be written down: it may change what is known, or ends what might have."""
    with localcontext(ARITHMETIC):
        if (read.reader_epoch, read.read_number) <= state.newest:
            return False
        if recount(state, read) is not None:
            return True
        reading = reading_of(state.known, read)
        before = state.readings[-1] if state.readings else None
        if before is None or not _tells(state, limits, before):
            return _tells(state, limits, reading)
        apart_ns = reading.venue_time_ns - before.venue_time_ns
        return not 0 <= apart_ns < APART_NS_MIN


def due(state: GuardState, limits: GuardLimits) -> list[Trip | Warned | DayLost]:
    """Return what has to be done now, and is not written down yet."""
    with localcontext(ARITHMETIC):
        found: list[Trip | Warned | DayLost | None] = [
            _tripped(state, guard, limits.of(guard)) or _near(state, guard, limits.of(guard)) for guard in GUARDS
        ]
        if not any(isinstance(one, Trip) for one in found):
            found.append(_day_lost(state, limits.daily_loss_breaker_fraction))
        return [one for one in found if one is not None]


def replayed(records: Iterable[Envelope], trip_id: Id) -> Replayed | None:
    """Recompute a trip from the records before it, with the limit that was in force then."""
    state = GuardState()
    for record in records:
        if isinstance(record.body, GuardTripped) and record.body.trip_id == trip_id:
            trip = record.body
            with localcontext(ARITHMETIC):
                limit = (ONE - trip.floor_quote / trip.base_quote).quantize(_TEN_PLACES) if trip.base_quote else ONE
                return Replayed(trip, _tripped(state, trip.guard, limit), state.readings, limit)
        state = folded(state, record)
    return None


def recount(state: GuardState, read: EquityRead) -> Recount | None:
    """Return in what a reading counts otherwise than those before it, None if it does not."""
    account = read.account_fingerprint, read.quote_asset
    if state.account not in {None, account}:
        return Recount(None)
    with localcontext(ARITHMETIC):
        change = changed(state.known, read.counted)
    return None if change is None else Recount(change)


def _recounted(state: GuardState, read: EquityRead) -> GuardState:
    """Take in what is counted otherwise: as money that came or went, or, of another account, by beginning anew."""
    found, account = recount(state, read), (read.account_fingerprint, read.quote_asset)
    if found is None:
        return _with(state, account=account)
    if found.change is None:
        marks = [Mark(trip_id=state.mark(guard).trip_id) for guard in GUARDS]
        return GuardState(
            (), state.newest, flows_to=state.flows_to, account=account, drawdown=marks[0], daily_loss=marks[1]
        )
    flow_quote = state.flow_quote + found.change.worth_quote
    return _with(state, readings=(), flow_quote=flow_quote, known=found.change.known)


def _flowed(state: GuardState, flow: FlowCounted) -> GuardState:
    """Take in money that came or went; what is worth nothing, such as a trade by hand, is neither."""
    flows_to = max(state.flows_to, flow.report_sequence)
    if not flow.worth_quote:
        return _with(state, flows_to=flows_to)
    return _with(
        state,
        readings=(),
        flow_quote=state.flow_quote + flow.worth_quote,
        flows_to=flows_to,
        known=moved(state.known, flow.asset, flow.quantity),
    )


def _read(state: GuardState, read: EquityRead) -> GuardState:
    """Take in a reading, and let two that are sure set the marks."""
    number = read.reader_epoch, read.read_number
    if number <= state.newest:
        return state
    state = _with(_recounted(state, read), newest=number)
    reading, before = reading_of(state.known, read), state.readings[-1] if state.readings else None
    if before is None or before.number[0] != number[0]:
        return _with(state, readings=(reading,))
    apart_ns = reading.venue_time_ns - before.venue_time_ns
    if 0 <= apart_ns < APART_NS_MIN:
        return state
    if not 0 < apart_ns <= APART_NS_MAX:
        return _with(state, readings=(reading,))
    state = _with(state, readings=(*state.readings, reading)[-READINGS_MAX:])
    if before.agrees and reading.agrees:
        return _settled(_known(state, known_by(read.counted), read), before, reading)
    if before.has_drifted and reading.has_drifted:
        return _known(state, followed(state.known, read.counted), read)
    return state


def _known(state: GuardState, known: Known, read: EquityRead) -> GuardState:
    """Take what the newest reading shows for what is there."""
    return _with(state, known=known, readings=(*state.readings[:-1], reading_of(known, read)))


def _settled(state: GuardState, before: Reading, reading: Reading) -> GuardState:
    """Set what is due, move the marks by the money that came or went, and lift the peak."""
    sure_quote, equity, flow = min(before.sure_quote, reading.sure_quote), reading.equity_quote, state.flow_quote
    before_flow = equity - flow
    begins_anew = before_flow <= 0 or flow > ANEW * equity
    for guard in GUARDS:
        mark = state.mark(guard)
        if mark.quote is None or mark.is_due or begins_anew:
            mark = _with(mark, quote=sure_quote, is_due=False, warned=0, ends_entries=False)
        elif flow:
            mark = _with(mark, quote=(mark.quote * equity / before_flow).quantize(_EIGHT_PLACES, ROUND_HALF_EVEN))
        if guard == "drawdown" and mark.quote is not None and sure_quote > mark.quote:
            mark = _with(mark, quote=sure_quote, warned=0)
        state = _marked(state, guard, mark)
    return _with(state, flow_quote=NOTHING)


def _tells(state: GuardState, limits: GuardLimits, reading: Reading) -> bool:
    """Say whether a reading, with another like it, would change what is known."""
    if reading.has_drifted:
        return True
    if reading.agrees:
        peak = state.drawdown.quote
        is_due = any(state.mark(guard).is_due for guard in GUARDS)
        if state.flow_quote or is_due or not reading.is_explained:
            return True
        if peak is not None and reading.sure_quote > peak + abs(peak) * PEAK_STEP:
            return True
    net_quote, day = state.net_quote(reading), state.daily_loss
    if _may_lose_the_day(day) and net_quote <= _level(day, limits.daily_loss_breaker_fraction, ALL_THE_WAY):
        return True
    return any(
        state.mark(guard).is_armed and net_quote <= _level(state.mark(guard), limits.of(guard), _next(state, guard))
        for guard in GUARDS
    )


def _tripped(state: GuardState, guard: Guard, limit: Decimal) -> Trip | None:
    mark = state.mark(guard)
    if not mark.is_armed or not _confirmed(state, floor := _level(mark, limit, ALL_THE_WAY)):
        return None
    assert mark.quote is not None, "what is armed counts from something"
    reading = state.readings[-1]
    epoch, number = reading.number
    trip_id = f"trip-{guard.replace('_', '-')}-{epoch}-{number}"
    return Trip(trip_id, guard, mark.quote, floor, state.net_quote(reading), limit)


def _near(state: GuardState, guard: Guard, limit: Decimal) -> Warned | None:
    """Return the highest of the warnings that is due."""
    mark = state.mark(guard)
    for percent in reversed(WARNINGS):
        if mark.is_armed and percent > mark.warned and _confirmed(state, _level(mark, limit, percent)):
            assert mark.quote is not None, "what is armed counts from something"
            equity = state.net_quote(state.readings[-1])
            return Warned(guard, percent, mark.quote, _level(mark, limit, ALL_THE_WAY), equity)
    return None


def _day_lost(state: GuardState, limit: Decimal) -> DayLost | None:
    day = state.daily_loss
    if not _may_lose_the_day(day) or not _confirmed(state, _level(day, limit, ALL_THE_WAY)):
        return None
    assert day.quote is not None, "what is armed counts from something"
    return DayLost(day.quote, state.net_quote(state.readings[-1]))


def _may_lose_the_day(day: Mark) -> bool:
    return day.is_armed and not day.ends_entries


def _confirmed(state: GuardState, level: Decimal) -> bool:
    """Say whether equity is down to a level beyond doubt: by two sure readings, or by all of half a minute."""
    down = list(takewhile(lambda reading: state.net_quote(reading) <= level, reversed(state.readings)))
    if len(down) < 2:  # noqa: PLR2004  # one proves nothing
        return False
    is_agreed = down[0].agrees and down[1].agrees
    return is_agreed or down[0].venue_time_ns - down[-1].venue_time_ns >= ALONE_NS


def _level(mark: Mark, limit: Decimal, percent: int) -> Decimal:
    """Return where so much of the way down is gone."""
    assert mark.quote is not None, "a level is counted from something"
    return (mark.quote * (ONE - limit * percent / ALL_THE_WAY)).quantize(_EIGHT_PLACES, ROUND_HALF_EVEN)


def _next(state: GuardState, guard: Guard) -> int:
    """Return the step of the way that is told next."""
    warned = state.mark(guard).warned
    return next((percent for percent in WARNINGS if percent > warned), ALL_THE_WAY)


def _warned(state: GuardState, cause_id: Id) -> GuardState:
    if cause_id == DAY_LOST:
        return _marked(state, "daily_loss", _with(state.daily_loss, ends_entries=True))
    for guard in GUARDS:
        for percent in WARNINGS:
            if cause_id == f"guard-{guard}-{percent}":
                return _marked(state, guard, _with(state.mark(guard), warned=percent))
    return state


def _marked(state: GuardState, guard: Guard, mark: Mark) -> GuardState:
    return _with(state, drawdown=mark) if guard == "drawdown" else _with(state, daily_loss=mark)


_with = msgspec.structs.replace
