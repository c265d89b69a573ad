"""Holds the executor against the venue and against its own journal: while a run goes on, and when it is over."""

from collections import defaultdict
from collections.abc import Mapping
from decimal import ROUND_DOWN, Context, Decimal
from typing import TYPE_CHECKING, Final, cast

from shared.core.service import Moment, Recorded, Restored
from shared.execution.adopting import AdoptingCore
from shared.execution.books import Books
from shared.execution.vocabulary import VenueOrder
from shared.mesh.journal import Gap, JournalReader, examine
from shared.trading.client_ids import parsed
from shared.trading.instruments import IMMEDIATE
from tests.simulation.machine import Machine, Surroundings
from tests.simulation.process import CODEC
from tests.simulation.scheduler import SECOND_NS
from tests.simulation.venue import SimVenue
from tests.simulation.witness import Witness

if TYPE_CHECKING:
    from shared.core.service import Journaling

COVER_NS_CALM: Final = 5 * SECOND_NS
COVER_NS: Final = 25 * SECOND_NS  # doubt, a ban and back-off may lie one behind the other
STEP: Final = Decimal("0.001")
LOOKS_PER_FOLD: Final = 20
LEAST_QUOTE: Final = Decimal(6)  # what the venue would take, and a little, since the price moves
_shown: Final = Context(prec=28)


class Verdict:
    """Judges."""

    def __init__(
        self,
        *,
        around: Surroundings,
        witness: Witness,
        venue: SimVenue,
        executor: Machine,
        risk: Machine,
    ) -> None:
        self._scheduler: Final = around.scheduler
        self._trace: Final = around.trace
        self._witness: Final = witness
        self._venue: Final = venue
        self._executor: Final = executor
        self._risk: Final = risk
        self._uncovered_ns: Final[dict[tuple[str, str], int]] = {}
        self._looks = 0
        self._unfinished: set[str] = set()

    @property
    def _books(self) -> Books:
        process = self._executor.process
        assert process is not None, "it was booted"
        assert isinstance(process.core, AdoptingCore), "which is an executor"
        return process.core.executor.books

    def look(self, *, is_calm: bool) -> None:
        """Look whether positions are covered and the books are the fold of the journal, while the executor lives."""
        process = self._executor.process
        if process is None or not self._executor.is_well or not process.is_idle:
            self._uncovered_ns.clear()
            return
        self._looks += 1
        if self._looks % LOOKS_PER_FOLD == 0:
            self._fold_is_live()
        for place in self._uncovered():
            since_ns = self._uncovered_ns.setdefault(place, self._scheduler.now_ns)
            if self._scheduler.now_ns - since_ns > (COVER_NS_CALM if is_calm else COVER_NS):
                self._trace.violated("I19", f"{place} has been uncovered for too long")
                self._uncovered_ns[place] = self._scheduler.now_ns

    def note_unfinished(self) -> None:
        """Take note of the orders that never rest, that the venue acknowledged, and that seem to be open."""
        self._unfinished = self._at_once()

    def judge_unfinished(self) -> None:
        """Judge whether they were asked about since."""
        for name in self._unfinished & self._at_once():
            self._trace.violated("I30", f"{name} is an order that never rests, and nobody asks why it is open")

    def _at_once(self) -> set[str]:
        if not self._executor.is_well:
            return set()
        working = self._books.working()
        return {one.client_order_id for one in working if one.order_type in IMMEDIATE and not one.is_in_doubt}

    def judge(self) -> None:
        """Judge a run that is over: everything is terminal, equal and covered."""
        process = self._executor.process
        if process is None or not self._executor.is_well:
            self._trace.violated("I30", "the executor does not live")
            return
        self._fold_is_live()
        books = self._books
        if books.entries:
            self._trace.violated("I30", f"still worked: {list(books.entries)}")
        if books.exits:
            self._trace.violated("I30", f"still to come down: {list(books.exits)}")
        for order in books.working():
            if order.key.purpose != "cover" or order.life not in {"resting", "partly_filled"}:
                self._trace.violated("I30", f"{order.client_order_id} is still {order.life}")
        for place in self._uncovered():
            self._trace.violated("I19", f"{place} is not covered in the end")
        self._orders_agree(books)

    def judge_flat(self) -> None:
        """Judge that the venue has nothing of ours to do any more, and that by the records nothing is held.

        What the venue sold of a stop that it had called cancelled, an exit sold as well: nothing can bring that down,
        and it waits for the operator, who looks when the latch is cleared.
        """
        gone: defaultdict[str, Decimal] = defaultdict(Decimal)
        for shown in self._venue.orders(self._scheduler.now_ns):
            if shown.status == "open" and parsed(shown.client_order_id) is not None:
                self._trace.violated("I30", f"killed by hand, and {shown.client_order_id} still rests at the venue")
            if shown.client_order_id in self._venue.in_words_only:
                gone[shown.symbol] += shown.executed_quantity
        for (strategy, symbol), held in self._witness.held.items():
            if not -gone[symbol] <= held <= 0:
                self._trace.violated("I30", f"killed by hand, and {strategy} still holds {held} {symbol}")

    def money_agrees(self) -> bool:
        """Say whether the books know of all money; what moved without a word they learn with the next pass."""
        return not (self._executor.is_well and self._differences(self._books))

    def judge_money(self) -> None:
        """Judge the balances, and once more whether the books are the fold of the journal."""
        if self._executor.is_well:
            self._balances_agree(self._books)
            self._fold_is_live()

    def _uncovered(self) -> list[tuple[str, str]]:
        """Return the positions that have neither a stop at the venue nor an exit under way."""
        books, now_ns = self._books, self._scheduler.now_ns
        resting = {one.client_order_id for one in self._venue.orders(now_ns) if one.status == "open"}
        uncovered = []
        for held in books.positions.held():
            place = held.strategy, held.symbol
            quantity = held.owned.quantize(STEP, ROUND_DOWN)
            bid = next((price for price, _ in self._venue.bids_and_asks(held.symbol).bids), Decimal(0))
            working = [order for order in books.working(place) if order.key.side == "sell"]
            covered = sum((one.open_quantity for one in working if one.client_order_id in resting), Decimal(0))
            if quantity * bid < LEAST_QUOTE or covered >= quantity or place in books.exits:
                self._uncovered_ns.pop(place, None)
            else:
                uncovered.append(place)
        for place in self._uncovered_ns.keys() - set(uncovered):
            del self._uncovered_ns[place]
        return uncovered

    def _fold_is_live(self) -> None:
        """Read each journal as the next process would, and compare; in the middle of a commit it is ahead."""
        for machine in (self._executor, self._risk):
            process = machine.process
            if process is None or not process.is_idle:
                continue
            core = cast("Journaling", process.core)
            if _folded(machine) != core.state():
                self._trace.violated("I26", f"what the {process.instance} knows is not the fold of its journal")

    def _orders_agree(self, books: Books) -> None:
        for shown in self._venue.orders(self._scheduler.now_ns):
            if parsed(shown.client_order_id) is not None:
                self._order_agrees(books, shown)

    def _order_agrees(self, books: Books, shown: VenueOrder) -> None:
        name = shown.client_order_id
        order = books.orders.get(name)
        if order is None:
            self._trace.violated("I3", f"the venue has {name}, and the books do not")
            return
        trades = self._venue.trades(shown.symbol, self._scheduler.now_ns)
        theirs = [one for one in trades if one.venue_order_id == shown.venue_order_id]
        told = {fill.trade_id: fill for fill in self._witness.fills.get(name, [])}
        if {one.trade_id for one in theirs} != told.keys():
            self._trace.violated("I5", f"{name} has {len(theirs)} trades at the venue, {len(told)} in the journal")
        if order.executed_quantity != shown.executed_quantity:
            self._trace.violated("I5", f"{name} executed {shown.executed_quantity}, not {order.executed_quantity}")
        quote = sum((one.quote_quantity for one in theirs), Decimal(0))
        if shown.executed_quantity and order.average_price != _shown.divide(quote, shown.executed_quantity):
            self._trace.violated("I5", f"{name} has an average price of its own")
        ended = self._witness.endings.get(name)
        was_canceled = ended is not None and ended.ending == "canceled" and name in self._venue.in_words_only
        if shown.status != "open" and not was_canceled and (ended is None or ended.ending != shown.status):
            self._trace.violated("I5", f"{name} is {shown.status} at the venue, and {ended and ended.ending} with us")
        if shown.status == "open" and ended is not None:
            self._trace.violated("I5", f"{name} is open at the venue, and {ended.ending} with us")

    def _balances(self) -> dict[str, Decimal]:
        held = self._venue.held(self._scheduler.now_ns)
        return {asset: balance.free + balance.locked for asset, balance in held.items()}

    def _differences(self, books: Books) -> Mapping[str, Decimal]:
        return books.ledger.differences(self._balances())

    def _balances_agree(self, books: Books) -> None:
        balances, differences = self._balances(), self._differences(books)
        if differences:
            self._trace.violated("I11", f"the venue has more than the books: {differences}")
        for asset, total in balances.items():
            owned = [one.owned for one in books.positions.held() if one.symbol.startswith(f"{asset}/")]
            if sum(owned, Decimal(0)) > total:
                self._trace.violated("I10", f"positions hold more {asset} than the account")


def _folded(machine: Machine) -> bytes:
    """Return what a new life would know of the journal on a disk."""
    disk = machine.disk.after_kill()
    examination = examine(disk)
    assert examination.snapshot is not None, "it has a journal"
    core = cast("Journaling", machine.new_core())
    nobody_cares = Moment(0, 0, "")
    core.handle(Restored(examination.snapshot.state), nobody_cares)
    reader = JournalReader(disk, from_sequence=examination.snapshot.sequence + 1, committed=lambda: examination.mark)
    while entries := reader.poll():
        for entry in entries:
            assert not isinstance(entry, Gap), "nothing was lost"
            core.handle(Recorded(CODEC.decode_stored(entry.payload)), nobody_cares)
    return core.state()
