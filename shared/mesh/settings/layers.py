"""The layers of a configuration: each turns one source into values by dotted key, with where each came from.

A key that does not exist stops the process: a limit that is misspelt is a limit that does not hold.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import get_origin

from shared.mesh.secret_names import SECRET_NAME
from shared.mesh.settings.model import sections, settings_keys
from shared.mesh.settings.problems import Problem, may_be_shown, nearest, suggestion
from shared.mesh.settings.profiles import PROFILE_DEFAULT, PROFILES
from shared.mesh.settings.values import Number, plain
from shared.mesh.settings.yaml_text import MISSING_SPACE, Line, Value, number_from_text, read_yaml

ENVIRONMENT_PREFIX = "BOWLINE_"
ENVIRONMENT_TEXT_MAX = 4096
_BELONGS_ELSEWHERE = (
    "secrets are read only from files in the secrets directory: "
    "put it in var/secrets/<venue>.<account>.api_key or .api_secret (mode 0600), and remove it here"
)


@dataclass(frozen=True)
class Sourced:
    """A value and where it came from."""

    value: Value
    origin: str


Layer = dict[str, Sourced]


def file_layer(path: Path, *, name: str, required: bool) -> tuple[Layer, list[Problem]]:
    """Return what a YAML file sets; a file that is not required may be missing or empty."""
    if _is_missing(path):
        missing = Problem(name, "", "is missing: restore the one Bowline ships, or name the project root")
        return {}, [missing] if required else []
    lines, problems = read_yaml(path, name=name)
    if required and not lines and not problems:
        problems.append(Problem(name, "", "is empty: restore the one Bowline ships; to change a value use local.yaml"))
    strays = {key: text for key, line in lines.items() if (text := _stray(key, line))}
    problems += [Problem(f"{name}:{lines[key].number}", key, text) for key, text in strays.items()]
    problems = [replace(problem, key=_shown(problem.key)) for problem in problems]
    known = settings_keys()
    return {key: Sourced(line.value, f"{name}:{line.number}") for key, line in lines.items() if key in known}, problems


def _is_missing(path: Path) -> bool:
    """Tell whether nothing stands at the path; a closed folder is no answer, and reading will explain it."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def environment_layer(environment: Mapping[str, str]) -> tuple[Layer, list[Problem]]:
    """Return what `BOWLINE_<SECTION>__<KEY>` variables set; any other name with our prefix is a problem."""
    names = {environment_name(key): key for key in settings_keys()}
    layer: Layer = {}
    problems: list[Problem] = []
    for name in sorted(name for name in environment if name.upper().startswith(ENVIRONMENT_PREFIX)):
        origin = f"environment {name}" if _variable_may_be_shown(name) else "environment BOWLINE_... (not shown)"
        if name not in names:
            problems.append(Problem(origin, "", _stray_variable(name, names)))
        elif fault := _text_fault(names[name], environment[name]):
            problems.append(Problem(origin, names[name], fault))
        else:
            layer[names[name]] = Sourced(_value_from_text(names[name], environment[name]), origin)
    return layer, problems


def variables_of(layer: Layer) -> dict[str, str]:
    """Return the variables that set what a layer sets."""
    return {environment_name(key): _text_of_value(sourced.value) for key, sourced in layer.items()}


def profile_layer(profile: object) -> Layer:
    """Return the limits a profile gives; an unknown one, which validation refuses by name, is read as the default."""
    name = profile if isinstance(profile, str) and profile in PROFILES else PROFILE_DEFAULT
    return {f"risk.{key}": Sourced(value, f"profile {name}") for key, value in PROFILES[name].items()}


def environment_name(key: str) -> str:
    """Return the variable that sets a key: `risk.position_pct` is BOWLINE_RISK__POSITION_PCT."""
    return ENVIRONMENT_PREFIX + key.replace(".", "__").upper()


def _shown(key: str) -> str:
    """Return the key up to the first part that could be a pasted secret."""
    parts = key.split(".")
    hidden = (place for place, part in enumerate(parts) if not may_be_shown(part, _words()))
    return ".".join(parts[: next(hidden, len(parts))])


def _variable_may_be_shown(name: str) -> bool:
    """Judge a variable's name as the key it would set: all of it in capitals, or all of it in small letters."""
    rest = name[len(ENVIRONMENT_PREFIX) :]
    words = [word for word in rest.split("__") if word]
    one_case = rest in {rest.lower(), rest.upper()}
    return all(may_be_shown(word.lower() if one_case else word, _words()) for word in words)


def _words() -> set[str]:
    """Return the names of all sections and keys."""
    return {word for key in settings_keys() for word in key.split(".")}


def _stray(key: str, line: Line) -> str:
    """Say what is wrong with a key that is not a setting; empty when it is one."""
    known = settings_keys()
    section, _, name = key.partition(".")
    if key in known:
        return ""
    if SECRET_NAME.search(key) is not None:
        return _BELONGS_ELSEWHERE
    if section not in sections():
        near = suggestion(section, sections()) if section == _shown(section) else ""
        return f"unknown section{near or '; there are ' + ', '.join(sections())}"
    if not name and isinstance(line.value, str) and MISSING_SPACE.match(line.value):
        return "a space is missing after the colon of the key below it: write `key: value`"
    if not name:
        return "is a section: put its keys below it, indented"
    if key != _shown(key):
        return "unknown key (not shown: it is unlike any setting); docs/reference/configuration.md lists every key"
    return f"unknown key{suggestion(name.lower(), sections()[section].model_fields) or _elsewhere(name.lower())}"


def _elsewhere(name: str) -> str:
    """Suggest the same or a near key of another section."""
    by_name = {key.partition(".")[2]: key for key in settings_keys()}
    near = nearest(name, by_name)
    return f", did you mean {by_name[near]}?" if near else "; docs/reference/configuration.md lists every key"


def _stray_variable(name: str, names: Mapping[str, str]) -> str:
    if SECRET_NAME.search(name) is not None:
        return _BELONGS_ELSEWHERE
    return f"unknown setting{suggestion(name.upper(), names) or '; docs/reference/configuration.md lists every name'}"


def _text_fault(key: str, text: str) -> str:
    """Say what only a variable's text can be wrong in; empty when its value is for validation to judge."""
    if len(text) > ENVIRONMENT_TEXT_MAX:
        return f"is longer than {ENVIRONMENT_TEXT_MAX} characters"
    if not text.strip():
        return "is empty: give it a value, or unset it"
    numbers = [part for part in settings_keys()[key].metadata if isinstance(part, Number)]
    if numbers and number_from_text(text) is None:
        example = plain(numbers[0].ceiling)
        return f"text where a number is expected: write a number only, such as {example}, without unit, separator or %"
    return ""


def _text_of_value(value: Value) -> str:
    if isinstance(value, list):
        return ",".join(_text_of_value(item) for item in value)
    return plain(value) if isinstance(value, Decimal) else str(value)


def _value_from_text(key: str, text: str) -> Value:
    """Read a variable, which is text by nature, as the kind of value its key holds."""
    field = settings_keys()[key]
    if get_origin(field.annotation) is tuple:
        return [item.strip() for item in text.split(",")]
    number = number_from_text(text) if any(isinstance(part, Number) for part in field.metadata) else None
    return text if number is None else number
