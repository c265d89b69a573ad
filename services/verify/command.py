"""`bowline verify`: holds what the mesh and its simulated exchange wrote down against what must always be true.

Reads only, beside a mesh that runs or without one. The judging is the checker's; here is where things lie, and how what
it says is shown.
"""

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final, TextIO

from services.verify.checker.checking import judged
from services.verify.checker.evidence import NO_LIMITS, Limits, gathered
from services.verify.checker.verdict import INVARIANTS, Verdict, Violation
from shared.mesh.journal import journal_directory
from shared.mesh.settings import Configuration, Settings, SettingsError, load_configuration
from shared.mesh.started_with import started_with

KEPT, BROKEN, NOT_JUDGED = 0, 1, 2
SHOWN_MAX: Final = 50
EXCHANGE_LOG: Final = ("exchange", "log")
JOURNALS: Final = ("executor", "risk", "flattener")
OF_BYTES: Final = frozenset({"I21", "I26"})
ADVICE: Final = """\
what to do: stop the mesh with `bowline down` and leave var/ as it is. Look at the records with `bowline journal show
executor --from N` (or risk), at the log with `bowline sim-exchange log`, and at the account at the exchange itself:
what it says counts. docs/verify.md says what each promise means."""
ADVICE_ON_BYTES: Final = """\
A journal that is not whole is proved byte by byte with `bowline journal verify executor` (or risk)."""


def main(argv: Sequence[str]) -> int:
    """Run the verb against this checkout (or `--root`)."""
    return run(argv, environment=os.environ, output=sys.stdout, errors=sys.stderr)


def run(argv: Sequence[str], *, environment: Mapping[str, str], output: TextIO, errors: TextIO) -> int:
    """Run the verb with everything it touches handed in, and return the exit code."""
    arguments = _parser().parse_args(argv)
    try:
        configuration = load_configuration(root=arguments.root, environment=environment)
        configuration, whose = _of_the_mesh(configuration, arguments.root, environment)
        verdict = _verdict(configuration, arguments)
    except SettingsError as error:
        errors.write(f"{error}\n")
        return NOT_JUDGED
    except OSError as error:
        errors.write(f"bowline verify: {error.filename}: {error.strerror}; run it as the user the mesh runs as\n")
        return NOT_JUDGED
    limits_of = whose if arguments.limits else None
    lines = [json.dumps(_as_json(verdict, limits_of))] if arguments.json else _in_words(verdict, limits_of)
    output.writelines(f"{line}\n" for line in lines)
    return _code(verdict)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bowline verify",
        description="Hold the journals of executor, risk and flattener, and the simulated exchange's log, against what "
        "must always be true. Exit codes: 0 all kept, 1 something broken, 2 nothing could be judged.",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--limits", action="store_true", help="judge approvals by the limits of the mesh, too")
    parser.add_argument("--settled", action="store_true", help="nothing is under way: all must have ended, too")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[2], help="project root (this checkout)")
    return parser


def _verdict(configuration: Configuration, arguments: argparse.Namespace) -> Verdict:
    journals = {role: journal_directory(configuration.var_directory, role) for role in JOURNALS}
    log = configuration.var_directory.joinpath(*EXCHANGE_LOG)
    settings = configuration.settings
    trades_there = (settings.venue_address or "").endswith(f":{settings.sim_exchange.port}")
    evidence = gathered(
        executor=_with_any(journals["executor"], "*.journal"),
        risk=_with_any(journals["risk"], "*.journal"),
        flattener=_with_any(journals["flattener"], "*.journal"),
        exchange_log=_with_any(log, "*.jsonl") if trades_there else None,
        limits=_limits(settings) if arguments.limits else NO_LIMITS,
        settled=arguments.settled,
    )
    return judged(evidence)


def _with_any(directory: Path, pattern: str) -> Path | None:
    """Return the directory if there is anything of the kind in it."""
    if not directory.exists():
        return None
    return directory if any(path.match(pattern) for path in directory.iterdir()) else None


def _limits(settings: Settings) -> Limits:
    risk = settings.risk
    return Limits(
        exposure_fraction_max=risk.exposure_fraction,
        position_fraction_max=risk.position_fraction,
        position_quote_max=risk.position_quote_max,
        order_fraction_max=risk.order_fraction,
        order_quote_max=risk.order_quote_max,
        entries_per_day_max=risk.entries_per_day_max,
        daily_loss_fraction_max=risk.daily_loss_breaker_fraction,
        daily_loss_is_by_size=risk.daily_loss_is_by_size,
        orders_per_minute_max=settings.executor.orders_a_minute_max,
    )


def _of_the_mesh(configuration: Configuration, root: Path, environment: Mapping[str, str]) -> tuple[Configuration, str]:
    """Return the settings that the mesh runs with, or ran with last, and whose they are; or else these."""
    started = started_with(configuration.run_directory)
    these = f"these settings (profile {configuration.settings.risk.profile})"
    if started is None:
        return configuration, f"{these}: nobody wrote down what the mesh ran with"
    try:
        theirs = load_configuration(root=root, environment=started.within(environment))
    except SettingsError:  # a setting of theirs is none any more, as behind a change of version
        return (
            configuration,
            f"{these}: what the mesh ran with is refused now, and `bowline config check --mesh` says why",
        )
    runs = "the mesh that runs" if started.runs else "the mesh that ran last"
    return theirs, f"{runs} (profile {theirs.settings.risk.profile})"


def _code(verdict: Verdict) -> int:
    if verdict.violations:
        return BROKEN
    return KEPT if any(verdict.read.values()) else NOT_JUDGED


def _in_words(verdict: Verdict, limits_of: str | None) -> Iterator[str]:
    if _code(verdict) == NOT_JUDGED:
        yield "nothing was judged: there is no journal and no log yet. They are written once the mesh trades."
        return
    yield "read: " + ", ".join(f"{count} {what}" for what, count in verdict.read.items())
    broken = Counter(violation.invariant for violation in verdict.violations)
    for invariant, promise in INVARIANTS.items():
        checked = verdict.checked[invariant]
        state = f"{broken[invariant]} BROKEN" if broken[invariant] else "kept" if checked else "-"
        yield f"{invariant:<4} {checked:>8}  {state:<10}  {promise}"
    if limits_of is not None:
        yield f"limits are those of {limits_of}"
    yield from (f"not judged: {what}" for what in verdict.unchecked)
    if not verdict.violations:
        yield "all kept, as often as the second column says"
        return
    yield from (_printable(str(violation)) for violation in verdict.violations[:SHOWN_MAX])
    if len(verdict.violations) > SHOWN_MAX:
        yield f"and {len(verdict.violations) - SHOWN_MAX} more: `bowline verify --json` has them all"
    yield ADVICE
    if broken.keys() & OF_BYTES:
        yield ADVICE_ON_BYTES


def _as_json(verdict: Verdict, limits_of: str | None) -> dict[str, object]:
    return {
        "verdict": {KEPT: "kept", BROKEN: "broken", NOT_JUDGED: "nothing was judged"}[_code(verdict)],
        "violations": [_violation(violation) for violation in verdict.violations],
        "read": verdict.read,
        "checked": verdict.checked,
        "not_judged": verdict.unchecked,
        "limits_of": limits_of,
    }


def _violation(violation: Violation) -> dict[str, object]:
    return {"invariant": violation.invariant, "what": violation.what, **asdict(violation.place)}


def _printable(line: str) -> str:
    """Return the line without what could steer a terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line)
