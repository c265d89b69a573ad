"""The mutants are still what they were: `make mutants` hunts them, which takes longer than a test may."""

import ast

import pytest

from tests.house.tree import CHECKOUT
from tests.simulation.mutants import Mutant, mutants, mutated


@pytest.mark.parametrize("mutant", mutants(), ids=lambda mutant: mutant.what)
def test_mutant_can_be_made(mutant: Mutant) -> None:
    """The words that a mutant changes stand in the code exactly once, and what comes of it can be read as Python."""
    text = (CHECKOUT / mutant.path).read_text(encoding="utf-8")
    changed = mutated(mutant, text)
    assert changed != text
    ast.parse(changed)


def test_page_says_how_many_there_are() -> None:
    """Whoever adds one says so."""
    page = (CHECKOUT / "docs/simulation.md").read_text(encoding="utf-8")
    assert f"`make mutants` makes {len(mutants())} (" in page
