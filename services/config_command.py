"""`bowline config show | check`: what is in force and where it came from, or what is wrong and what to do.

Reads settings and secrets as every process does that is started now, and changes nothing. A mesh that runs may have
been started with others, as `bowline demo` does: that is said, and `--mesh` shows those. A secret is only ever said to
be there or not.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import TextIO

from shared.mesh.program_file import FILE_NAME, ProgramFileError, read_program_file
from shared.mesh.settings import Configuration, Problem, SettingsError, load_configuration, money_hash
from shared.mesh.settings.effective_limits import EffectiveLimit, effective_limits, idle_limits, money, rounded
from shared.mesh.settings.model import settings_keys
from shared.mesh.settings.profiles import PROFILE_EQUITY_MAX
from shared.mesh.settings.secret_files import SECRET_NAMES, SIGNERS, key_name, load_credentials, secret_file_name
from shared.mesh.settings.strategy_faults import strategy_faults
from shared.mesh.settings.unread_markets import unread_markets
from shared.mesh.settings.unusable_paths import unusable_paths
from shared.mesh.settings.values import plain
from shared.mesh.settings.yaml_text import number_from_text
from shared.mesh.started_with import StartedWith, started_with

OK, BAD_CONFIGURATION = 0, 1
KEYS_SHOWN = 5
EQUITY_DEFAULT = Decimal(1000)
EQUITY_MIN, EQUITY_MAX = Decimal("0.001"), Decimal(1_000_000_000)
SHOW_TEXT = """\
Show every value in force and where it came from: the default, the profile, a line of a file, or a variable.
With --json: {key: {"value", "origin"}}; a list is a list, a number is text, since Bowline's numbers are exact decimals.
"""
CHECK_TEXT = """\
Say every problem of the configuration, or what its limits mean in money, which of them binds, which never can, and the
money hash. Changes nothing. Exit codes: 0 good, 1 bad configuration, 2 wrong usage, 74 the output could not be written.
With --json: {"ok", "money_hash", "equity", "asset", "limits", "never_binding"}; a limit is {"name", "key", "percent",
"amount", "asset", "count", "remark"}; percents and amounts are text, since Bowline's numbers are exact decimals.
"""


@dataclass(frozen=True)
class Row:
    """One line of `config show`."""

    key: str
    value: str | list[str]
    origin: str


def main(argv: Sequence[str]) -> int:
    """Run the verb against this checkout (or `--root`), the process environment and the standard streams."""
    return run(argv, environment=os.environ, output=sys.stdout, errors=sys.stderr)


def run(argv: Sequence[str], *, environment: Mapping[str, str], output: TextIO, errors: TextIO) -> int:
    """Run the verb with everything it touches handed in, and return the exit code."""
    arguments = _parser().parse_args(argv)
    try:
        configuration = load_configuration(root=arguments.root, environment=environment)
        started = started_with(configuration.run_directory)
        if arguments.mesh:
            configuration = _of_the_mesh(started, arguments.root, environment)
        elif started is not None and started.runs:
            errors.writelines(beside(configuration, started, arguments.root, environment))
        if arguments.action == "show":
            _show(_rows(configuration), as_json=arguments.json, output=output)
        else:
            _refuse_what_cannot_be_used(configuration)
            _check(configuration, arguments.equity, as_json=arguments.json, output=output)
    except SettingsError as error:
        _complain(error.problems, as_json=arguments.json, output=output, errors=errors)
        return BAD_CONFIGURATION
    return OK


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bowline config", description="Show the settings in force, or check them.")
    actions = parser.add_subparsers(dest="action", required=True, metavar="show | check")
    raw = argparse.RawDescriptionHelpFormatter
    show = actions.add_parser(
        "show", help="every value in force, and where it came from", description=SHOW_TEXT, formatter_class=raw
    )
    check = actions.add_parser(
        "check", help="what is wrong, or the limits in money", description=CHECK_TEXT, formatter_class=raw
    )
    for action in (show, check):
        action.add_argument("--json", action="store_true", help="answer in JSON")
        action.add_argument(
            "--mesh", action="store_true", help="of the mesh that runs, or ran last, as a demonstration"
        )
        action.add_argument("--root", type=Path, default=Path(__file__).parents[1], help="project root (this checkout)")
    check.add_argument("--equity", type=_equity, default=EQUITY_DEFAULT, help="example equity, default 1000")
    return parser


def _equity(text: str) -> Decimal:
    number = number_from_text(text)
    if number is None or not EQUITY_MIN <= number <= EQUITY_MAX:
        raise argparse.ArgumentTypeError(f"write a number from {EQUITY_MIN} to {EQUITY_MAX}, such as 1000 or 2500.50")
    return Decimal(number)


def _of_the_mesh(started: StartedWith | None, root: Path, environment: Mapping[str, str]) -> Configuration:
    """Return the settings that the mesh runs with; raises a SettingsError where none was ever started."""
    if started is None:
        raise SettingsError([Problem("--mesh", "", "no mesh was started here: `bowline up` or `bowline demo` does")])
    return load_configuration(root=root, environment=started.within(environment))


def beside(
    configuration: Configuration, started: StartedWith, root: Path, environment: Mapping[str, str]
) -> Iterator[str]:
    """Say what of the mesh that runs is not as shown. Nothing of it makes these settings wrong."""
    try:
        yield from _differences(configuration, _of_the_mesh(started, root, environment))
    except SettingsError:
        yield (
            "these are the settings of the next `bowline up`. With the files as they are now, what the mesh that runs "
            "was started with is refused: it cannot be said what differs, --mesh says why\n"
        )


def _differences(configuration: Configuration, running: Configuration) -> Iterator[str]:
    """Say that what is shown is not what runs, where it is not."""
    ours, theirs = configuration.settings.model_dump(), running.settings.model_dump()
    sections = (key.partition(".")[::2] for key in settings_keys())
    keys = [f"{section}.{name}" for section, name in sections if ours[section][name] != theirs[section][name]]
    if keys:
        more = f" and {len(keys) - KEYS_SHOWN} more" if len(keys) > KEYS_SHOWN else ""
        yield (
            f"these are the settings of the next `bowline up`. The mesh that runs has others: "
            f"{', '.join(keys[:KEYS_SHOWN])}{more}. With --mesh this is about those\n"
        )


def _rows(configuration: Configuration) -> list[Row]:
    settings = configuration.settings.model_dump()
    rows = []
    for key in settings_keys():
        section, _, name = key.partition(".")
        rows.append(Row(key, _text(settings[section][name]), configuration.origins[key]))
    return [*rows, *(Row(f"secrets.{name}", state, "secrets") for name, state in _secret_states(configuration).items())]


def _secret_states(configuration: Configuration) -> dict[str, str]:
    """Return for each secret whether it is there; raises a SettingsError when one is badly kept."""
    directory, venue = configuration.settings.paths.secrets_directory, configuration.settings.venue
    states: dict[str, str] = {}
    for signer in SIGNERS:
        account = key_name(venue.account, signer)
        found = load_credentials(configuration.secrets_directory, venue=venue.name, account=account, shown_as=directory)
        for name in SECRET_NAMES:
            place = f"{directory}/{secret_file_name(venue.name, account, name)}"
            states[f"{signer}.{name}"] = "(set, hidden)" if found else f"(missing: put it in {place})"
    return states


def _refuse_what_cannot_be_used(configuration: Configuration) -> None:
    """Raise a SettingsError with all that is wrong on the disk, and with all that no process would work with."""
    problems = [
        *unusable_paths(configuration),
        *_unread_markets(configuration),
        *strategy_faults(configuration),
    ]
    try:
        _secret_states(configuration)
    except SettingsError as error:
        problems.extend(error.problems)
    if problems:
        raise SettingsError(problems)


def _unread_markets(configuration: Configuration) -> list[Problem]:
    """Return what is said to be read or decided on, and would not be by the programs there are."""
    if not (configuration.root / FILE_NAME).exists():
        return []
    try:
        programs = read_program_file(configuration.root).instances
    except ProgramFileError as error:
        return [Problem("", "", str(error))]
    return unread_markets(configuration, programs)


def _show(rows: Sequence[Row], *, as_json: bool, output: TextIO) -> None:
    if as_json:
        _write_json({row.key: {"value": row.value, "origin": row.origin} for row in rows}, output)
        return
    key_width = max(len(row.key) for row in rows)
    values = [", ".join(row.value) or "(none)" if isinstance(row.value, list) else row.value for row in rows]
    width = max(len(value) for value in values)
    output.writelines(
        f"{row.key:<{key_width}}  {value:<{width}}  {row.origin}\n" for row, value in zip(rows, values, strict=True)
    )


def _check(configuration: Configuration, equity: Decimal, *, as_json: bool, output: TextIO) -> None:
    settings = configuration.settings
    asset = settings.venue.quote_asset
    limits, idle = effective_limits(settings.risk, equity=equity), idle_limits(settings.risk)
    fingerprint = money_hash(settings)
    if as_json:
        answer = {"ok": True, "money_hash": fingerprint, "equity": plain(equity), "asset": asset}
        lists = {
            "limits": [_limit_json(limit, asset) for limit in limits],
            "never_binding": [asdict(limit) for limit in idle],
        }
        _write_json({**answer, **lists}, output)
        return
    profile = settings.risk.profile
    top = PROFILE_EQUITY_MAX[profile]
    output.write(
        f"ok\nmoney hash {fingerprint}\n\nWith an equity of {money(rounded(equity), asset)}, profile {profile}:\n"
    )
    width = max(len(limit.name) for limit in limits) + 1
    output.writelines(f"  {limit.name + ':':<{width}} {_limit_text(limit, asset)}\n" for limit in limits)
    bound = f" while equity is at most {money(top, asset)}" if top.is_finite() else ""
    if equity > top:
        output.write(f"\nProfile {profile} is meant for an equity of at most {money(top, asset)}.\n")
    if idle:
        output.write(f"\nNever binding{bound}:\n")
        output.writelines(f"  {limit.key}: {limit.reason}\n" for limit in idle)


def _limit_text(limit: EffectiveLimit, asset: str) -> str:
    if limit.amount is None:
        return f"{limit.count}, {limit.remark}" if limit.remark else str(limit.count)
    part = f"{plain(limit.percent)} % = " if limit.percent is not None else ""
    remark = f"; {limit.remark}" if limit.remark else ""
    by = f", by {limit.key}" if limit.name in {"order", "position"} else ""
    return f"{part}{money(limit.amount, asset)}{by}{remark}"


def _limit_json(limit: EffectiveLimit, asset: str) -> dict[str, object]:
    numbers = {name: None if value is None else plain(value) for name, value in _numbers(limit).items()}
    return {**asdict(limit), **numbers, "asset": asset if limit.amount is not None else None}


def _numbers(limit: EffectiveLimit) -> dict[str, Decimal | None]:
    return {"percent": limit.percent, "amount": limit.amount}


def _complain(problems: Sequence[Problem], *, as_json: bool, output: TextIO, errors: TextIO) -> None:
    if as_json:
        _write_json({"ok": False, "problems": [asdict(problem) for problem in problems]}, output)
        return
    errors.writelines(f"{problem}\n" for problem in problems)


def _write_json(answer: object, output: TextIO) -> None:
    output.write(json.dumps(answer, indent=2) + "\n")


def _text(value: object) -> str | list[str]:
    if isinstance(value, tuple):
        return [str(item) for item in value]
    return plain(value) if isinstance(value, Decimal) else str(value)
