"""`bowline resume`: entries may go on."""

from collections.abc import Sequence

from services.control.entries import RESUME, main_of


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    return main_of(RESUME, argv)
