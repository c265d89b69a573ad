"""Scenario files: a seed, and faults by name, each with when it begins. Pure: the text comes in, the steps come out."""

import re
from typing import Final

import msgspec

from services.sim_exchange.faults.moments import moment_ms
from services.sim_exchange.faults.reading import read_fault
from services.sim_exchange.faults.scope import FaultRefusedError
from services.sim_exchange.faults.vocabulary import Fault
from shared.mesh.settings.problems import Problem
from shared.mesh.settings.yaml_text import Line, Value, parse_yaml

STEPS_MAX: Final = 100
_REQUEST: Final = re.compile(r"request ([1-9][0-9]{0,8})")
_STEP: Final = "steps"
HOW_TO_BEGIN: Final = "write when the fault begins: +12s after the start, or `request 40` for just before that request"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A fault, and when it begins: after a time, or before the nth request that is let in."""

    name: str
    fault: Fault
    after_ms: int = 0
    request: int | None = None


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """What goes wrong in a run."""

    seed: int
    steps: tuple[Step, ...]


class ScenarioRefusedError(Exception):
    """A scenario that cannot be played; carries everything that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems: Final = tuple(problems)


def read_scenario(text: str, *, name: str) -> Scenario:
    """Return what a scenario says. `name` is that of the file, for the complaints."""
    lines, problems = parse_yaml(text, name=name)
    if problems:
        raise ScenarioRefusedError(problems)
    reading = _Reading(lines, name)
    seed = reading.seed()
    steps = tuple(step for step in map(reading.step, reading.steps()) if step is not None)
    if reading.problems:
        raise ScenarioRefusedError(reading.problems)
    return Scenario(seed=seed, steps=steps)


class _Reading:
    """Goes through the values of a file by their dotted keys, and gathers what is wrong."""

    def __init__(self, lines: dict[str, Line], name: str) -> None:
        self._lines: Final = lines
        self._name: Final = name
        self.problems: Final[list[Problem]] = []

    def seed(self) -> int:
        for key in self._lines:
            if key != "seed" and not key.startswith(f"{_STEP}."):
                self._refuse(key, "is neither `seed` nor below `steps`: move it below a step, or delete it")
        seed = self._lines["seed"].value if "seed" in self._lines else None
        if isinstance(seed, bool) or not isinstance(seed, int):
            self._refuse("seed", "is no whole number: write for example `seed: 7`, so that the run can be repeated")
            return 0
        return seed

    def steps(self) -> list[str]:
        names = dict.fromkeys(key.split(".")[1] for key in self._lines if key.startswith(f"{_STEP}."))
        if not 1 <= len(names) <= STEPS_MAX:
            self._refuse(_STEP, f"holds {len(names)} steps: write 1 to {STEPS_MAX}")
        return list(names)

    def step(self, name: str) -> Step | None:
        key = f"{_STEP}.{name}"
        written = self._below(key)
        begins = written.pop("at", None)
        fault = written.pop("fault", None)
        for other in written:
            self._refuse(f"{key}.{other}", "is neither `at` nor `fault`: what a fault holds stands below `fault:`")
        after_ms, request = self._beginning(f"{key}.at", begins)
        try:
            return Step(name=name, fault=read_fault(fault), after_ms=after_ms, request=request)
        except FaultRefusedError as refused:
            self._refuse(f"{key}.fault.{refused.where}".rstrip("."), refused.text)
            return None

    def _beginning(self, key: str, begins: object) -> tuple[int, int | None]:
        if isinstance(begins, str) and (counted := _REQUEST.fullmatch(begins)):
            return 0, int(counted[1])
        try:
            if isinstance(begins, str) and begins.startswith("+"):
                return moment_ms(begins, 0), None
        except ValueError:
            pass
        self._refuse(key, HOW_TO_BEGIN)
        return 0, None

    def _below(self, key: str) -> dict[str, object]:
        """Return the mapping that the dotted keys below a key make."""
        found: dict[str, object] = {}
        for path, line in self._lines.items():
            if path.startswith(f"{key}."):
                _put(found, path.removeprefix(f"{key}.").split("."), line.value)
        return found

    def _refuse(self, key: str, text: str) -> None:
        self.problems.append(Problem(f"{self._name}:{self._line(key.partition('[')[0])}", key, text))

    def _line(self, key: str) -> int:
        """Return the line of a key: of the first below it, or, for one that is missing, below what should hold it."""
        while key:
            numbers = [line.number for path, line in self._lines.items() if f"{path}.".startswith(f"{key}.")]
            if numbers:
                return min(numbers)
            key = key.rpartition(".")[0]
        return 1


def _put(found: dict[str, object], path: list[str], value: Value) -> None:
    *above, last = path
    for part in above:
        inner = found.setdefault(part, {})
        assert isinstance(inner, dict), "a key holds a value or more keys, never both: the parser saw to it"
        found = inner
    found[last] = value
