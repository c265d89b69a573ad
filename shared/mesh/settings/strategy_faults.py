"""What the catalog says to the strategies that are chosen: whether it has them, and whether they take such parameters.

Apart from the other checks, since it loads the strategies and what they compute with: for `bowline config check` and
for the process that decides, and not for everybody who reads the settings.
"""

from collections.abc import Iterator

from shared.mesh.settings.loader import Configuration
from shared.mesh.settings.model import RiskSettings
from shared.mesh.settings.problems import Problem, suggestion
from shared.mesh.settings.strategies import Group
from shared.mesh.settings.values import plain
from shared.strategies.catalog import STRATEGIES
from shared.strategies.strategy import ParameterRefusedError, chosen_parameters, parameter_of

KEY = "strategies.run"


def strategy_faults(configuration: Configuration) -> list[Problem]:
    """Return a problem for each entry that its strategy, or the risk profile, does not allow."""
    settings = configuration.settings
    return [
        Problem(configuration.origins[KEY], KEY, f"entry {place}: {fault}")
        for place, group in enumerate(settings.strategies.groups, start=1)
        for fault in faults_of(group, settings.risk)
    ]


def faults_of(group: Group, risk: RiskSettings) -> Iterator[str]:
    """Say why a strategy cannot run as it was chosen."""
    strategy = STRATEGIES.get(group.strategy)
    if strategy is None:
        near = suggestion(group.strategy, STRATEGIES)
        yield f"there is no such strategy{near or '; there are ' + ', '.join(STRATEGIES)}"
        return
    try:
        chosen = chosen_parameters(strategy, group.parameter_sets, group.parameters)
        fraction = parameter_of(strategy, chosen, "risk_fraction")
    except ParameterRefusedError as error:
        yield str(error)
        return
    if fraction > risk.risk_per_trade_fraction:
        yield (
            f"risk_fraction is {plain(fraction)}, and risk.risk_per_trade_pct is {plain(risk.risk_per_trade_pct)}, a "
            f"fraction of {plain(risk.risk_per_trade_fraction)}: lower the one or raise the other"
        )
