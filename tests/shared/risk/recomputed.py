"""The guards reckoned with pencil and paper, from the page on what stops the account.

It shares nothing with `shared.risk.guards`: it goes through all records again for every one of them, in fractions.
"""

from collections.abc import Sequence
from fractions import Fraction

from proto.envelope import Body
from proto.verdicts import DayBegun, EquityRead, FlowCounted, GuardTripped, KillCleared

SECOND_NS = 1_000_000_000
SHARES = {"drawdown": Fraction(15, 100), "daily_loss": Fraction(5, 100)}


def rounded(number: Fraction) -> Fraction:
    """Round as the journal does, to eight places."""
    return Fraction(round(number * 10**8), 10**8)


def is_agreed(read: EquityRead) -> bool:
    """Say whether the two accounts of one reading differ by no more than a hundredth of the larger."""
    ours, theirs = read.equity_quote, read.executor_equity_quote
    return theirs is not None and abs(ours - theirs) * 100 <= max(abs(ours), abs(theirs))


def stretches(bodies: Sequence[Body]) -> list[list[EquityRead]]:
    """Return, for each record, the readings up to it that follow each other without anything between them."""
    found: list[list[EquityRead]] = []
    run: list[EquityRead] = []
    newest = (0, 0)
    for body in bodies:
        if isinstance(body, DayBegun | KillCleared) or (isinstance(body, FlowCounted) and body.worth_quote):
            run = []
        if isinstance(body, EquityRead) and (body.reader_epoch, body.read_number) > newest:
            newest = (body.reader_epoch, body.read_number)
            apart = (body.venue_time_ns - run[-1].venue_time_ns) / SECOND_NS if run else 0
            if run and (run[-1].reader_epoch != body.reader_epoch or not 0 <= apart <= 15):
                run = [body]
            elif not run or apart >= 1:
                run = [*run, body]
        found.append(run)
    return found


def pairs(bodies: Sequence[Body]) -> dict[int, tuple[EquityRead, EquityRead]]:
    """Return where two agreed readings in a row were complete."""
    runs = stretches(bodies)
    return {
        place: (run[-2], run[-1])
        for place, run in enumerate(runs)
        if len(run) > 1
        and isinstance(bodies[place], EquityRead)
        and run[-1] is bodies[place]
        and is_agreed(run[-1])
        and is_agreed(run[-2])
    }


def expected(bodies: Sequence[Body]) -> set[str]:
    """Return the guards that have to trip after the last of these records."""
    marks: dict[str, Fraction | None] = {"drawdown": None, "daily_loss": None}
    wanted = {"drawdown", "daily_loss"}
    tripped: set[str] = set()
    flow = Fraction(0)
    agreed = pairs(bodies)
    for place, body in enumerate(bodies):
        if isinstance(body, DayBegun):
            wanted.add("daily_loss")
        elif isinstance(body, FlowCounted):
            flow += Fraction(body.worth_quote)
        elif isinstance(body, GuardTripped):
            tripped.add(body.guard)
        elif isinstance(body, KillCleared):
            for guard in tripped:
                marks[guard] = None
            wanted |= tripped
            tripped = set()
        elif place in agreed:
            settle(marks, wanted, flow, agreed[place])
            wanted, flow = set(), Fraction(0)
    run = stretches(bodies)[-1] if bodies else []
    return {
        guard
        for guard, mark in marks.items()
        if mark is not None
        and mark > 0
        and guard not in tripped
        and is_lost(run, rounded(mark * (1 - SHARES[guard])) + flow)
    }


def settle(
    marks: dict[str, Fraction | None], wanted: set[str], flow: Fraction, pair: tuple[EquityRead, EquityRead]
) -> None:
    """Set the marks by two agreed readings: those that are wanted, the others by the money that came or went."""
    least = min(Fraction(said or 0) for read in pair for said in (read.equity_quote, read.executor_equity_quote))
    equity = Fraction(pair[1].equity_quote)
    had = equity - flow
    for guard, mark in marks.items():
        if guard in wanted or mark is None or had <= 0 or flow * 2 > equity:
            marks[guard] = least
        elif flow:
            marks[guard] = rounded(mark * equity / had)
    marks["drawdown"] = max(marks["drawdown"] or least, least)


def is_lost(run: Sequence[EquityRead], floor: Fraction) -> bool:
    """Say whether the newest readings prove that equity is down to a floor."""
    below: list[EquityRead] = []
    for read in reversed(run):
        if read.equity_quote > floor:
            break
        below.append(read)
    if len(below) < 2:
        return False
    return all(map(is_agreed, below[:2])) or below[0].venue_time_ns - below[-1].venue_time_ns >= 30 * SECOND_NS
