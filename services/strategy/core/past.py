"""The bars before the next one: asked for page by page, until there are as many as a strategy needs, without a hole.

It needs as many as decide on the newest, and if it can have them, also those for each bar that nobody has decided on:
then the kernel does not know that it was ever away.
"""

from collections.abc import Sequence
from typing import Final

from proto.bars import BARS_MAX, AskBars, BarsGiven
from proto.envelope import Body
from proto.market import BarClosed
from shared.core.service import Ask, Moment
from shared.market.bars import bar_closed
from shared.market.timeframe import Timeframe

AGAIN_NS: Final = 2_000_000_000
MISSED_MAX: Final = 500


class Past:
    """A row of bars that grows at both ends: live ones behind, those asked for before them."""

    def __init__(self, *, feed: str, owner: str, symbol: str, frame: Timeframe, bars_wanted: int) -> None:
        self.ask_id: str | None = None  # of the question that an answer is waited for
        self._feed: Final = feed
        self._owner: Final = owner
        self._symbol: Final = symbol
        self._frame: Final = frame
        self._bars_wanted: Final = bars_wanted
        self._row: list[BarClosed] = []
        self._decided_ns = -1
        self._is_short = False  # there are no more
        self._questions = 0
        self._ask_at_ns: int | None = None

    @property
    def is_enough(self) -> bool:
        """Whether nothing has to be asked for any more."""
        return len(self._row) >= (self._bars_wanted if self._is_short else self._bars_wished)

    @property
    def _bars_wished(self) -> int:
        if not self._row:
            return self._bars_wanted
        missed = (self._row[-1].open_time_ns - self._decided_ns) // self._frame.duration_ns
        return self._bars_wanted + (missed if 0 < missed <= MISSED_MAX else 0)

    def begin(self, decided_ns: int, now: Moment) -> list[Ask]:
        """Begin with no bars, where the last that was decided on opened then."""
        self._row, self._decided_ns, self._is_short = [], decided_ns, False
        return self._asked(now)

    def came(self, bar: BarClosed) -> None:
        """Take in a bar that closed. One that does not follow begins the row anew: what lies between is asked for."""
        if not self._row or bar.open_time_ns > self._row[-1].close_time_ns:
            self._row = [bar]
        elif bar.open_time_ns == self._row[-1].close_time_ns:
            self._row.append(bar)

    def answered(self, answer: Body | None, now: Moment) -> list[Ask]:
        """Take in what was asked for, None without an answer, and ask on: at once if that helped, else in a while."""
        self.ask_id = None
        bars = answer.bars if isinstance(answer, BarsGiven) else ()
        has_grown = self._given([bar_closed(self._symbol, self._frame, bar) for bar in bars])
        self._is_short = answer is not None and not has_grown
        if self.is_enough:
            return []
        if has_grown:
            return self._asked(now)
        self._ask_at_ns = now.boot_ns + AGAIN_NS
        return []

    def clock(self, now: Moment) -> list[Ask]:
        """Ask again where there was nothing."""
        if self._ask_at_ns is None or now.boot_ns < self._ask_at_ns:
            return []
        return self._asked(now)

    def taken(self) -> Sequence[BarClosed]:
        """Hand the row over, and want no more."""
        row, self._row = self._row, []
        self.ask_id = self._ask_at_ns = None
        return row

    def _asked(self, now: Moment) -> list[Ask]:
        self._questions += 1
        self._ask_at_ns = None
        self.ask_id = f"past|{self._owner}|{self._symbol}|{now.boot_ns}|{self._questions}"
        question = AskBars(
            symbol=self._symbol,
            timeframe=self._frame.name,
            before_open_time_ns=self._row[0].open_time_ns if self._row else None,
            bars_max=min(self._bars_wished - len(self._row), BARS_MAX),
        )
        return [Ask(self._feed, question, self.ask_id)]

    def _given(self, bars: Sequence[BarClosed]) -> bool:
        """Take in a row of bars before ours, and say whether there are more now."""
        if not self._row:
            self._row = list(bars)
            return bool(bars)
        older = [bar for bar in bars if bar.open_time_ns < self._row[0].open_time_ns]
        follows = bool(older) and older[-1].close_time_ns == self._row[0].open_time_ns
        if follows:
            self._row[:0] = older
        return follows
