"""`bowline pause`: no new entries until they are resumed."""

from collections.abc import Sequence

from services.control.entries import PAUSE, main_of


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    return main_of(PAUSE, argv)
