"""`bowline config show | check`: what is in force and where it came from, or what is wrong and what to do.

Reads settings and secrets as every process does, and changes nothing. A secret is only ever said to be there or not.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import TextIO

from shared.mesh.settings import Configuration, Problem, RiskSettings, SettingsError, load_configuration, money_hash
from shared.mesh.settings.model import settings_keys
from shared.mesh.settings.secret_files import SECRET_NAMES, load_credentials, secret_file_name
from shared.mesh.settings.values import plain
from shared.mesh.settings.yaml_text import number_from_text

OK, BAD_CONFIGURATION = 0, 1
EQUITY_DEFAULT = Decimal(1000)
EQUITY_MAX = Decimal(1_000_000_000)
_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Row:
    """One line of `config show`."""

    key: str
    value: str
    origin: str


@dataclass(frozen=True)
class EffectiveLimit:
    """One limit, in words, for an example equity."""

    name: str
    meaning: str


def main(argv: Sequence[str]) -> int:
    """Run the verb against this checkout (or `--root`), the process environment and the standard streams."""
    return run(argv, environment=os.environ, output=sys.stdout, errors=sys.stderr)


def run(argv: Sequence[str], *, environment: Mapping[str, str], output: TextIO, errors: TextIO) -> int:
    """Run the verb with everything it touches handed in, and return the exit code."""
    arguments = _parser().parse_args(argv)
    try:
        configuration = load_configuration(root=arguments.root, environment=environment)
        if arguments.action == "show":
            _show(_rows(configuration), as_json=arguments.json, output=output)
        else:
            _secret_states(configuration)
            _check(configuration, arguments.equity, as_json=arguments.json, output=output)
    except SettingsError as error:
        _complain(error.problems, as_json=arguments.json, output=output, errors=errors)
        return BAD_CONFIGURATION
    return OK


def effective_limits(risk: RiskSettings, *, equity: Decimal, asset: str) -> list[EffectiveLimit]:
    """Return every limit as it would bind an account of this equity: the dry run of a configuration."""

    def part(percentage: Decimal, *, of: str = "") -> str:
        return f"{plain(percentage)} %{of} = {_money(equity * percentage.scaleb(-2), asset)}"

    position = min(equity * risk.position_fraction, risk.position_quote_max)
    order = min(position, max(equity * risk.order_fraction, risk.order_quote_max))
    capped = f", capped at {_money(position, asset)}" if position < equity * risk.position_fraction else ""
    limits = [
        ("risk per trade", part(risk.risk_per_trade_pct)),
        ("order", f"at most {_money(order, asset)}"),
        ("position", f"{part(risk.position_pct)}{capped}"),
        ("positions", str(risk.positions_max)),
        ("exposure", part(risk.exposure_pct)),
        ("correlated exposure", f"{part(risk.correlated_exposure_pct)}, in {risk.correlated_positions_max} positions"),
        ("reserve cash", part(risk.reserve_cash_pct)),
        ("entries per day", str(risk.entries_per_day_max)),
        ("daily loss breaker", part(risk.daily_loss_breaker_pct)),
        ("daily loss kill", part(risk.daily_loss_kill_pct)),
        ("drawdown kill", part(risk.drawdown_kill_pct, of=" from the peak")),
    ]
    return [EffectiveLimit(name, meaning) for name, meaning in limits]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bowline config", description="Show the settings in force, or check them.")
    actions = parser.add_subparsers(dest="action", required=True, metavar="show | check")
    show = actions.add_parser("show", help="every value in force, and where it came from")
    check = actions.add_parser("check", help="what is wrong; or the limits in money and the money hash")
    for action in (show, check):
        action.add_argument("--json", action="store_true", help="answer in JSON")
        action.add_argument("--root", type=Path, default=Path(__file__).parents[1], help="project root (this checkout)")
    check.add_argument("--equity", type=_equity, default=EQUITY_DEFAULT, help="example equity, default 1000")
    return parser


def _equity(text: str) -> Decimal:
    number = number_from_text(text)
    if number is None or not 0 < number <= EQUITY_MAX:
        raise argparse.ArgumentTypeError(f"write a number above 0, at most {EQUITY_MAX}, such as 1000 or 2500.50")
    return Decimal(number)


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
    found = load_credentials(
        configuration.secrets_directory, venue=venue.name, account=venue.account, shown_as=directory
    )
    if found is not None:
        return dict.fromkeys(SECRET_NAMES, "(set, hidden)")
    files = {name: secret_file_name(venue.name, venue.account, name) for name in SECRET_NAMES}
    return {name: f"(missing: put it in {directory}/{file})" for name, file in files.items()}


def _show(rows: Sequence[Row], *, as_json: bool, output: TextIO) -> None:
    if as_json:
        _write_json({row.key: {"value": row.value, "origin": row.origin} for row in rows}, output)
        return
    key_width = max(len(row.key) for row in rows)
    value_width = max(len(row.value) for row in rows)
    output.writelines(f"{row.key:<{key_width}}  {row.value:<{value_width}}  {row.origin}\n" for row in rows)


def _check(configuration: Configuration, equity: Decimal, *, as_json: bool, output: TextIO) -> None:
    settings = configuration.settings
    asset = settings.venue.quote_asset
    limits = effective_limits(settings.risk, equity=equity, asset=asset)
    fingerprint = money_hash(settings)
    if as_json:
        answer = {"ok": True, "money_hash": fingerprint, "equity": plain(equity), "asset": asset}
        _write_json({**answer, "limits": {limit.name: limit.meaning for limit in limits}}, output)
        return
    output.write(f"ok\nmoney hash {fingerprint}\n\nWith an equity of {_money(equity, asset)}:\n")
    width = max(len(limit.name) for limit in limits) + 1
    output.writelines(f"  {limit.name + ':':<{width}} {limit.meaning}\n" for limit in limits)


def _complain(problems: Sequence[Problem], *, as_json: bool, output: TextIO, errors: TextIO) -> None:
    if as_json:
        _write_json({"ok": False, "problems": [asdict(problem) for problem in problems]}, output)
        return
    errors.writelines(f"{problem}\n" for problem in problems)


def _write_json(answer: object, output: TextIO) -> None:
    output.write(json.dumps(answer, indent=2) + "\n")


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value)
    return plain(value) if isinstance(value, Decimal) else str(value)


def _money(amount: Decimal, asset: str) -> str:
    return f"{amount.quantize(_CENT, rounding=ROUND_DOWN)} {asset}"
