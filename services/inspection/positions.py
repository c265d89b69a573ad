"""`bowline positions`: what each strategy holds."""

from collections.abc import Iterator, Sequence

from services.inspection.command import show
from services.inspection.story import Story
from shared.core.tables import Row


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    return show("positions", _rows, argv, none="flat: nothing is held")


def _rows(story: Story) -> Iterator[Row]:
    for held in story.positions.values():
        if held.quantity:
            yield {
                "strategy": held.strategy,
                "symbol": held.symbol,
                "quantity": f"{held.quantity:f}",
                "bought at": "" if held.average_entry_price is None else f"{held.average_entry_price:.8f}",
                "covered": f"{held.covered_quantity:f}",
            }
