"""A strategy's process: `python -m services.strategy [strategy-fast]`."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from services.strategy.core.host import StrategyCore
from services.strategy.core.idle import IdleCore
from services.strategy.core.vocabulary import Terms
from services.strategy.shelf import Shelf
from shared.mesh.exit_codes import UNUSABLE
from shared.mesh.service import Plan, run
from shared.mesh.service.start import PROJECT
from shared.mesh.settings import Configuration, Problem, Settings, SettingsError, load_configuration
from shared.mesh.settings.strategies import INSTANCE, Group
from shared.mesh.settings.strategy_faults import KEY, faults_of
from shared.mesh.settings.unread_markets import bars_of_nobody, feed_of
from shared.strategies.catalog import STRATEGIES
from shared.strategies.strategy import chosen_parameters

FOLDER: Final = "strategies"


def plan_of(instance: str, configuration: Configuration) -> Plan:
    """Put the core and the hands of an instance together."""
    settings = configuration.settings
    group = next((group for group in settings.strategies.groups if group.instance == instance), None)
    if group is None:
        return Plan(instance=instance, core=IdleCore())
    faults = [*faults_of(group, settings.risk), *bars_of_nobody(group, settings)]
    if faults:
        raise SettingsError([Problem(configuration.origins[KEY], KEY, f"{instance}: {fault}") for fault in faults])
    shelf = Shelf(configuration.var_directory / FOLDER, instance)
    return Plan(instance=instance, core=StrategyCore(terms_of(group, settings)), outside=shelf)


def terms_of(group: Group, settings: Settings) -> Terms:
    """Return what a group of the settings decides on."""
    strategy = STRATEGIES[group.strategy]
    feeds = {symbol: feed_of(settings, symbol) for symbol in group.symbols}
    return Terms(
        owner=group.owner,
        strategy=strategy,
        chosen=chosen_parameters(strategy, group.parameter_sets, group.parameters),
        bar_length=group.bar_length,
        venue=settings.venue.name,
        feeds={symbol: feed for symbol, feed in feeds.items() if feed is not None},
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Decide until told to stop, and return the exit code."""
    parser = argparse.ArgumentParser(prog="strategy", description=__doc__)
    parser.add_argument("instance", nargs="?", default=INSTANCE, help="which of strategies.run; strategy if none")
    parser.add_argument("--root", type=Path, default=PROJECT, help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    instance: str = arguments.instance
    root: Path = arguments.root
    try:
        plan = plan_of(instance, load_configuration(root=root, environment=os.environ))
    except SettingsError as error:
        sys.stderr.write(f"{instance}: {error}\n")
        return UNUSABLE
    return run(plan, root=root)


if __name__ == "__main__":
    sys.exit(main())
