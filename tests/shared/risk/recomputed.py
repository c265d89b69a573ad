"""The guards reckoned with pencil and paper, from the page on what stops the account.

It shares nothing with `shared.risk.guards`: it goes through all records again for every one of them, in fractions.
"""

from collections.abc import Sequence
from fractions import Fraction

from proto.envelope import Body
from proto.verdicts import Alerted, DayBegun, EquityRead, FlowCounted, GuardTripped, KillCleared

SECOND_NS = 1_000_000_000
ENTRIES = "entries"  # of a day, which end at a smaller loss
ENDED_AT = Fraction(3, 100)
SHARES = {"drawdown": Fraction(15, 100), "daily_loss": Fraction(5, 100)}
Sheet = dict[str, tuple[Fraction, Fraction]]  # how much there is of each asset, and the price it had last


def rounded(number: Fraction) -> Fraction:
    """Round as the journal does, to eight places."""
    return Fraction(round(number * 10**8), 10**8)


def is_agreed(read: EquityRead) -> bool:
    """Say whether the two accounts of one reading differ by no more than a hundredth of the larger."""
    ours, theirs = read.equity_quote, read.executor_equity_quote
    return theirs is not None and abs(ours - theirs) * 100 <= max(abs(ours), abs(theirs))


def sheet_of(read: EquityRead) -> Sheet:
    """Return what a reading found on the account."""
    return {one.asset: (Fraction(one.quantity), Fraction(one.bid_quote or 0)) for one in read.counted}


def worth(sheet: Sheet, prices: Sheet) -> Fraction:
    """Return what a sheet is worth at the prices of another, or else at its own."""
    return rounded(sum((n * (prices.get(a, (0, 0))[1] or price) for a, (n, price) in sheet.items()), Fraction(0)))


def strays(known: Sheet, now: Sheet, equity: Fraction) -> bool:
    """Say whether what is read differs from what is known by over a hundredth of it, asset by asset."""
    moved = [abs(n * (price or known[a][1]) - known[a][0] * known[a][1]) for a, (n, price) in now.items() if known]
    return sum(moved, Fraction(0)) * 100 > abs(equity)


def expected(bodies: Sequence[Body]) -> set[str]:
    """Return the guards that have to trip after the last of these records; or that the day's entries have to end."""
    reckoning = Reckoning()
    for body in bodies:
        reckoning.take(body)
    return reckoning.lost()


class Reckoning:
    """One sheet of paper."""

    def __init__(self) -> None:
        self.marks: dict[str, Fraction | None] = {"drawdown": None, "daily_loss": None}
        self.wanted = {"drawdown", "daily_loss"}
        self.tripped: set[str] = set()
        self.has_ended = False  # the entries of the day
        self.flow = Fraction(0)
        self.known: Sheet = {}
        self.missing = Fraction(0)  # of what is known, without anybody's word
        self.newest = (0, 0)
        self.account: tuple[str, str] | None = None
        # That follow each other, what is left by each for certain, and whether it shows something else to be there.
        self.run: list[tuple[EquityRead, Fraction, bool]] = []

    def take(self, body: Body) -> None:
        """Go one record on."""
        if isinstance(body, EquityRead) and (body.reader_epoch, body.read_number) > self.newest:
            self.newest = (body.reader_epoch, body.read_number)
            self.look_what_is_counted(body)
            self.read(body)
        elif isinstance(body, DayBegun):
            self.wanted.add("daily_loss")
            self.run = []
        elif isinstance(body, FlowCounted):
            self.flow += Fraction(body.worth_quote)
            if body.worth_quote and body.asset in self.known:
                there, price = self.known[body.asset]
                self.known[body.asset] = there + Fraction(body.quantity), price
            self.run = [] if body.worth_quote else self.run
        elif isinstance(body, GuardTripped):
            self.tripped.add(body.guard)
        elif isinstance(body, Alerted) and body.name == "daily-loss":
            self.has_ended = True
        elif isinstance(body, KillCleared):
            self.has_ended &= "daily_loss" not in self.tripped
            self.wanted |= self.tripped
            self.marks |= dict.fromkeys(self.tripped)
            self.tripped, self.run = set(), []

    def look_what_is_counted(self, body: EquityRead) -> None:
        """Begin anew with another account; take what is counted otherwise for money that came or went."""
        account = body.account_fingerprint, body.quote_asset
        now = sheet_of(body)
        if self.account not in {None, account}:
            self.marks, self.wanted, self.has_ended = dict.fromkeys(SHARES), set(SHARES), False
            self.flow, self.missing, self.known, self.run = Fraction(0), Fraction(0), {}, []
        elif self.known and self.known.keys() != now.keys():
            came = {asset: now[asset] for asset in now.keys() - self.known.keys()}
            went = {asset: self.known.pop(asset) for asset in self.known.keys() - now.keys()}
            self.flow += rounded(sum((n * p for n, p in came.values()), Fraction(0)) - worth(went, {}))
            self.known |= came
            self.run = []
        self.account = account

    def read(self, body: EquityRead) -> None:
        """Set the reading beside those before it, and the marks by two that are agreed."""
        now = sheet_of(body)
        known = worth(self.known, now) + self.missing
        left = Fraction(body.equity_quote)
        if not is_agreed(body):
            left = max(left, known) if self.known else left
        before = self.run[-1][0] if self.run else None
        apart = (body.venue_time_ns - before.venue_time_ns) / SECOND_NS if before else 0
        if before and 0 <= apart < 1 and before.reader_epoch == body.reader_epoch:
            return
        if before and (before.reader_epoch != body.reader_epoch or not 0 < apart <= 15):
            self.run = []
        self.run.append((body, left, strays(self.known, now, Fraction(body.equity_quote))))
        pair = self.run[-2:]
        if len(pair) > 1 and all(is_agreed(read) for read, _, _ in pair):
            self.settle(pair[0][0], body)
            self.run[-1] = body, left, False
        elif len(pair) > 1 and all(is_other for _, _, is_other in pair):
            self.known = {asset: (n, price or self.known[asset][1]) for asset, (n, price) in now.items()}
            self.missing = known - worth(self.known, now)
            self.run[-1] = body, left, False

    def settle(self, *pair: EquityRead) -> None:
        """Set the marks that are wanted, the others by the money that came or went."""
        least = min(Fraction(said or 0) for read in pair for said in (read.equity_quote, read.executor_equity_quote))
        equity = Fraction(pair[1].equity_quote)
        had = equity - self.flow
        for guard, mark in self.marks.items():
            if guard in self.wanted or mark is None or had <= 0 or self.flow * 2 > equity:
                self.marks[guard] = least
                self.has_ended &= guard != "daily_loss"
            elif self.flow:
                self.marks[guard] = rounded(mark * equity / had)
        self.marks["drawdown"] = max(self.marks["drawdown"] or least, least)
        self.wanted, self.flow, self.known = set(), Fraction(0), sheet_of(pair[1])
        self.missing = Fraction(0)

    def lost(self) -> set[str]:
        """Return the guards whose floor the newest readings prove equity to be down to, or that entries end."""
        shares = SHARES if self.has_ended else SHARES | {ENTRIES: ENDED_AT}
        down = {
            name
            for name, share in shares.items()
            if self.has_lost("drawdown" if name == "drawdown" else "daily_loss", share)
        }
        return down - {ENTRIES} or down

    def has_lost(self, guard: str, share: Fraction) -> bool:
        """Say whether the newest readings prove that such a share is lost of what a guard counts from."""
        mark = self.marks[guard]
        if not mark or mark < 0 or guard in self.tripped:
            return False
        return self.is_down(rounded(mark * (1 - share)))

    def is_down(self, floor: Fraction) -> bool:
        """Say whether two agreed readings are, or half a minute of any."""
        below: list[EquityRead] = []
        for read, left, _ in reversed(self.run):
            if left - self.flow > floor:
                break
            below.append(read)
        if len(below) < 2:
            return False
        return all(map(is_agreed, below[:2])) or below[0].venue_time_ns - below[-1].venue_time_ns >= 30 * SECOND_NS
