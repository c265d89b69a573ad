"""What a strategy is: declared parameters, declared features, and a kernel that decides on closed bars, one by one.

The kernel is written once. Research loops it over years of bars and the mesh calls it once a bar, so it is plain
arithmetic on rows of floats: + - * / and comparisons, which come out alike everywhere, compiled or not. It reads no
clock, keeps nothing but its state, and hands back what it wishes for.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Final, Literal, NamedTuple

import msgspec
import numpy as np

from shared.market.columns import Floats
from shared.market.features import Feature

# The places of a bar's row.
OPEN, HIGH, LOW, CLOSE, VOLUME = range(5)


class ParameterRefusedError(ValueError):
    """A parameter that a strategy does not have, or cannot take."""


class Parameter(msgspec.Struct, frozen=True):
    """What may be chosen about a strategy: a number of a kind, between two bounds that it may reach."""

    name: str
    kind: Literal["int", "float"]
    default: float
    least: float
    most: float
    meaning: str


class Below(msgspec.Struct, frozen=True):
    """A constraint between two parameters: the first is below the second."""

    lesser: str
    greater: str


class BracketWish(NamedTuple):
    """What a kernel wishes for: an entry with its stop and target, all as prices. `direction` 0 is: nothing.

    `price_worst` is the most a buy may pay, `risk_fraction` what of equity its stop may lose.
    """

    direction: float
    decision_price: float
    price_worst: float
    stop_price: float
    target_price: float
    risk_fraction: float


NOTHING: Final = BracketWish(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)

# State, features, bar, parameters, and how much is held or being entered. It may change the state, and nothing else.
OnBar = Callable[[Floats, Floats, Floats, Floats, float], BracketWish]
# State, parameters, and the fill: quantity bought (sold is negative) and price.
OnFill = Callable[[Floats, Floats, float, float], None]


class Strategy(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy. Parameters come to the kernel in the order declared, features in that of `features`."""

    name: str
    idea: str
    parameters: tuple[Parameter, ...]
    constraints: tuple[Below, ...]
    parameter_sets: Mapping[str, Mapping[str, float]]  # named choices that differ from the defaults
    features: Callable[[Floats], tuple[Feature, ...]]
    initial_state: Callable[[Floats], Floats]
    on_bar: OnBar
    on_fill: OnFill


def chosen_parameters(
    strategy: Strategy, parameter_sets: Iterable[str], parameters: Iterable[tuple[str, Decimal]]
) -> dict[str, float]:
    """Return what differs from the defaults: of the sets the later ones win, and single parameters over all sets."""
    chosen: dict[str, float] = {}
    for name in parameter_sets:
        if name not in strategy.parameter_sets:
            known = ", ".join(strategy.parameter_sets)
            raise ParameterRefusedError(f"{strategy.name} has no set of parameters {name!r}: it has {known}")
        chosen |= strategy.parameter_sets[name]
    chosen |= {name: float(value) for name, value in parameters}
    _ = parameter_row(strategy, chosen)
    return chosen


def parameter_of(strategy: Strategy, chosen: Mapping[str, float], name: str) -> Decimal:
    """Return one parameter, as it was written."""
    default = next(parameter.default for parameter in strategy.parameters if parameter.name == name)
    return Decimal(repr(float(chosen.get(name, default))))


def parameter_row(strategy: Strategy, chosen: Mapping[str, float]) -> Floats:
    """Return all parameters as the kernel takes them: the chosen ones, and the defaults of the others."""
    known = {parameter.name: parameter for parameter in strategy.parameters}
    for name, value in chosen.items():
        if name not in known:
            raise ParameterRefusedError(f"{strategy.name} has no parameter {name!r}: it has {', '.join(known)}")
        _refuse_unfit(strategy, known[name], value)
    values = {name: float(chosen.get(name, parameter.default)) for name, parameter in known.items()}
    for pair in strategy.constraints:
        if not values[pair.lesser] < values[pair.greater]:
            raise ParameterRefusedError(
                f"{strategy.name}: {pair.lesser} is {values[pair.lesser]:g}, and has to be below {pair.greater}, "
                f"which is {values[pair.greater]:g}"
            )
    return np.array([values[parameter.name] for parameter in strategy.parameters])


def _refuse_unfit(strategy: Strategy, parameter: Parameter, value: float) -> None:
    if not parameter.least <= value <= parameter.most:
        raise ParameterRefusedError(
            f"{strategy.name}: {parameter.name} is {value:g}, and may be {parameter.least:g} to {parameter.most:g}"
        )
    if parameter.kind == "int" and value != int(value):
        raise ParameterRefusedError(f"{strategy.name}: {parameter.name} is {value:g}, and has to be a whole number")
