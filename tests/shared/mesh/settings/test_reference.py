"""The reference page and the shipped file are held against the model, in both directions."""

import re

from pydantic.fields import FieldInfo

from shared.mesh.settings.model import choices, settings_keys
from shared.mesh.settings.profiles import PROFILES
from shared.mesh.settings.values import Number
from shared.mesh.settings.yaml_text import Value, parse_yaml
from tests.shared.mesh.settings.projects import CHECKOUT

UNITS = {"percent": "percent", "quote": "quote asset", "count": "count", "number": "number"}


def _range(field: FieldInfo) -> tuple[str, str]:
    """Return unit and range of a key, in the words of the page."""
    for part in field.metadata:
        if isinstance(part, Number):
            return UNITS[part.unit], part.range
    return "text", ", ".join(choices(field)) or "see below"


def _default(key: str, field: FieldInfo) -> str:
    name = key.partition(".")[2]
    if field.is_required():
        return ", ".join(f"{profile} {PROFILES[profile][name]}" for profile in PROFILES)
    return ", ".join(field.default) or "none" if isinstance(field.default, tuple) else str(field.default)


def the_row(key: str, field: FieldInfo) -> str:
    """Return the line of the reference page that a key must have."""
    unit, limits = _range(field)
    return f"| `{key}` | {field.description} | {unit} | {limits} | {_default(key, field)} |"


def test_the_reference_page_is_the_model() -> None:
    """Every key has its row, in order, with meaning, unit, range and default; no row is of a key that is not."""
    page = (CHECKOUT / "docs/reference/configuration.md").read_text()
    rows = [line for line in page.splitlines() if re.match(r"\| `[a-z_]+\.", line)]
    assert rows == [the_row(key, field) for key, field in settings_keys().items()]


def test_the_shipped_file_shows_every_key() -> None:
    """config/bowline.yaml, with its commented limits taken in, names every key, at the value in force without it."""
    text = (CHECKOUT / "config/bowline.yaml").read_text()
    lines, problems = parse_yaml(re.sub(r"^  # (?=\w+: )", "  ", text, flags=re.MULTILINE), name="bowline.yaml")
    assert not problems
    expected: dict[str, Value] = {f"risk.{key}": value for key, value in PROFILES["small"].items()}
    for key, field in settings_keys().items():
        if not field.is_required():
            expected[key] = list(field.default) if isinstance(field.default, tuple) else field.default
    assert {key: line.value for key, line in lines.items()} == expected


def test_every_key_says_its_unit() -> None:
    """A number's name ends in, or holds, its unit: `_pct`, `_quote` or `_max`."""
    endings = {"percent": "_pct", "quote": "_quote_max", "count": "_max", "number": ""}
    for key, field in settings_keys().items():
        for part in field.metadata:
            if isinstance(part, Number):
                assert key.endswith(endings[part.unit])
