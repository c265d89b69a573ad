"""What an operator may say about what leaves for the venue."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from shared.mesh.settings.section import Section
from shared.mesh.settings.values import count, quote


class ExecutorSettings(Section):
    """What may leave for the venue in any sixty seconds, whatever was approved: a guard against our own defects."""

    orders_a_minute_max: Annotated[int, count(10, 600)] = Field(
        60, description="Orders of every kind; entries leave two thirds of them to stops and exits."
    )
    entries_a_minute_max: Annotated[int, count(1, 100)] = Field(12, description="Orders that open a position.")
    symbol_entries_a_minute_max: Annotated[int, count(1, 100)] = Field(4, description="Those of one symbol.")
    entries_a_minute_quote_max: Annotated[Decimal, quote("10", "1000000")] = Field(
        Decimal(5000), description="What all of them are worth, in money."
    )
