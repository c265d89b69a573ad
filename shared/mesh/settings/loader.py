"""Puts the layers together: default, profile, config/bowline.yaml, config/local.yaml, environment; the last one wins.

Reads files, and nothing else of the world: the environment is handed in. Finds every problem before it gives up.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.mesh.settings.layers import Layer, environment_layer, file_layer, profile_layer
from shared.mesh.settings.model import Settings, choices, sections, settings_keys
from shared.mesh.settings.problems import Problem, SettingsError, suggestion
from shared.mesh.settings.profiles import PROFILE_DEFAULT
from shared.mesh.settings.unread_files import unread_files

# The sections that say where the directories and sockets of the mesh are.
_WHEREABOUTS = ("paths.", "mesh.")
_VAR = "paths.var_directory"


@dataclass(frozen=True)
class Configuration:
    """The settings in force, where each value came from, and the root that relative paths start at."""

    root: Path
    settings: Settings
    origins: Mapping[str, str]

    @property
    def var_directory(self) -> Path:
        """Where everything lies that the mesh owns."""
        return self.root / self.settings.paths.var_directory

    @property
    def run_directory(self) -> Path:
        """Where the sockets stand."""
        return self.root / self.settings.paths.run_directory

    @property
    def keys_directory(self) -> Path:
        """Where the key pairs of the processes lie."""
        return self.var_directory / "keys"

    @property
    def seats_directory(self) -> Path:
        """Where the locks and epochs of the processes lie; it has to survive a reboot, as journals do."""
        return self.var_directory / "seats"

    @property
    def halt_directory(self) -> Path:
        """Where the HALT file is, while it is."""
        return self.var_directory

    @property
    def anchors_directory(self) -> Path:
        """Where the processes keep the anchors of each other's journals."""
        return self.var_directory / "anchors"

    @property
    def past_lives_directory(self) -> Path:
        """Where the overseer keeps what it remembers of each instance: not to be lost with the seats."""
        return self.var_directory / "overseer"

    @property
    def logs_directory(self) -> Path:
        """Where the supervisor writes what the processes say."""
        return self.var_directory / "logs"

    @property
    def secrets_directory(self) -> Path:
        """The secrets directory, as a path that can be opened."""
        return self.root / self.settings.paths.secrets_directory


def load_configuration(*, root: Path, environment: Mapping[str, str]) -> Configuration:
    """Return the settings of the project at `root`, or raise a SettingsError that names every problem."""
    said, said_problems = _said(root, environment)
    profile = said["risk.profile"].value if "risk.profile" in said else PROFILE_DEFAULT
    values = {**profile_layer(profile), **said}
    settings, problems = _validated(values)
    problems = [*said_problems, *problems]
    if settings is None or problems:
        raise SettingsError(sorted(problems, key=_place))
    return _configuration(root, settings, values)


def load_whereabouts(*, root: Path, environment: Mapping[str, str]) -> tuple[Configuration, Sequence[Problem]]:
    """Return a configuration that says where the mesh is, even if the settings are wrong, and what is wrong with them.

    For whoever looks at a mesh that runs, or ends it: what is wrong then has its default, as the rest of the settings.
    """
    try:
        return load_configuration(root=root, environment=environment), ()
    except SettingsError as error:
        problems = error.problems
    said, _ = _said(root, environment)
    wrong = {problem.key for problem in problems}
    usable = {key: value for key, value in said.items() if key.startswith(_WHEREABOUTS) and key not in wrong}
    values = {**profile_layer(PROFILE_DEFAULT), **usable}
    settings, _ = _validated(values)
    assert settings is not None, "what was found wrong is left out"
    return _configuration(root, settings, values), problems


def hides_the_place(configuration: Configuration, problems: Sequence[Problem]) -> bool:
    """Say whether the mesh may be elsewhere than these whereabouts say, because of what is wrong with the settings.

    So it is if a whole file cannot be read, or a key is wrong that may have been meant for the path. A variable has the
    last word.
    """
    is_elsewhere = configuration.origins[_VAR].startswith("environment")
    harmless = sections().keys() - {_VAR.partition(".")[0]}
    return not is_elsewhere and any(problem.key.partition(".")[0] not in harmless for problem in problems)


def _said(root: Path, environment: Mapping[str, str]) -> tuple[Layer, list[Problem]]:
    """Return what files and environment say, the last one winning, and what is wrong with them."""
    shipped, shipped_problems = file_layer(root / "config/bowline.yaml", name="config/bowline.yaml", required=True)
    local, local_problems = file_layer(root / "config/local.yaml", name="config/local.yaml", required=False)
    variables, variable_problems = environment_layer(environment)
    problems = [*shipped_problems, *local_problems, *unread_files(root), *variable_problems]
    return {**shipped, **local, **variables}, problems


def _configuration(root: Path, settings: Settings, values: Layer) -> Configuration:
    origins = {key: values[key].origin if key in values else "default" for key in settings_keys()}
    return Configuration(root=root, settings=settings, origins=origins)


def _validated(values: Layer) -> tuple[Settings | None, list[Problem]]:
    nested: dict[str, dict[str, Any]] = {section: {} for section in sections()}
    for key, sourced in values.items():
        section, _, name = key.partition(".")
        nested[section][name] = sourced.value
    try:
        return Settings.model_validate(nested), []
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=True)
        return None, [problem for detail in details for problem in _problems(detail, values)]


def _problems(detail: ErrorDetails, values: Layer) -> Iterator[Problem]:
    """Turn one pydantic error into ours: the key with its file and line, in plain words."""
    key = ".".join(str(part) for part in detail["loc"][:2])
    if detail["type"] == "contradiction":
        for name, text in detail["ctx"]["found"]:
            yield _problem(f"{key}.{name}", text, values)
    elif detail["type"] == "literal_error":
        yield _problem(key, _not_among(choices(settings_keys()[key]), detail["input"]), values)
    else:
        yield _problem(key, detail["msg"], values)


def _not_among(words: Sequence[str], found: object) -> str:
    """Say which words a value may be, and which was probably meant."""
    text = f"must be {' or '.join(words)}" + (" (all that is supported today)" if len(words) == 1 else "")
    if not isinstance(found, str):
        return text
    if found.lower() in words:
        return f"{text}, in small letters"
    return f"{text}{suggestion(found.lower(), words)}"


def _place(problem: Problem) -> tuple[str, int]:
    """Return what problems are sorted by: the file (or variable), then the line as a number."""
    name, _, line = problem.where.rpartition(":")
    return (name, int(line)) if line.isdecimal() else (problem.where, 0)


def _problem(key: str, text: str, values: Layer) -> Problem:
    return Problem(values[key].origin if key in values else "default", key, text)
