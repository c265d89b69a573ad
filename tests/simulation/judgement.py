"""Hands the files of a run to the independent checker: both journals as they lie on their disks, the exchange's log.

The checker (services/verify/checker) shares nothing with what it judges, and nothing with the witness.
"""

import re
from typing import Final

from services.verify.checker.checking import judged
from services.verify.checker.evidence import PREFIX, Evidence, Limits
from services.verify.checker.exchange_log import log_of
from services.verify.checker.frames import MARK_NAME, SUFFIX, mark_of
from services.verify.checker.journal import Journal, journal_of
from tests.shared.mesh.journal.sim_disk import SimDisk
from tests.simulation.crew import LIMITS as EGRESS
from tests.simulation.risk import LIMITS
from tests.simulation.trace import Trace
from tests.simulation.venue import SimVenue

# A ban, a doubt and a back-off may lie one behind the other while faults last: the witness has its own bound for that.
# And a process that is frozen, or waits for its disk, says nothing of it.
SLOW_WHILE_FAULTS_LAST: Final = re.compile(r"I19 .* is bare for |I15 .* waits for \d{1,10} ns")
SHOWN_MAX: Final = 3
CHECKED: Final = Limits(
    exposure_fraction_max=LIMITS.exposure_fraction,
    position_fraction_max=LIMITS.position_fraction,
    position_quote_max=LIMITS.position_quote_max,
    order_fraction_max=LIMITS.order_fraction,
    order_quote_max=LIMITS.order_quote_max,
    entries_per_day_max=LIMITS.entries_per_day_max,
    daily_loss_fraction_max=LIMITS.daily_loss_breaker_fraction,
    orders_per_minute_max=EGRESS.orders_max,
)


def judge_files(
    *, executor: SimDisk, risk: SimDisk, flattener: SimDisk, venue: SimVenue, trace: Trace, is_calm: bool
) -> None:
    """Note whatever the checker holds against a run that has come to rest."""
    evidence = Evidence(
        executor=_journal("executor", executor),
        risk=_journal("risk", risk),
        flattener=_journal("flattener", flattener),
        log=log_of([("00000001.jsonl", venue.log())], PREFIX),
        limits=CHECKED,
        settled=True,
    )
    violations = [str(violation) for violation in judged(evidence).violations]
    held = [one for one in violations if is_calm or not SLOW_WHILE_FAULTS_LAST.search(one)]
    for violation in held[:SHOWN_MAX]:
        trace.violated("checker", violation)


def _journal(name: str, disk: SimDisk) -> Journal:
    files = disk.copied()
    mark = files.get(MARK_NAME)
    segments = {file: content for file, content in files.items() if file.endswith(SUFFIX) and file[:8].isdecimal()}
    return journal_of(name, segments, None if mark is None else mark_of(mark))
