"""The house keeps its own rules."""

import pytest

from tests.house.rules import RULES, Rule
from tests.house.tree import CHECKOUT, Tree


@pytest.fixture(scope="module")
def house() -> Tree:
    """Return this checkout."""
    return Tree.read(CHECKOUT)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_house_keeps_its_rule(rule: Rule, house: Tree) -> None:
    """The checkout breaks no rule of the house."""
    violations = [violation.sentence() for violation in rule(house)]
    if violations:
        pytest.fail("\n".join([str(rule.__doc__), *violations]), pytrace=False)
