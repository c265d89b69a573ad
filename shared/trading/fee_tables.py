"""What venues charge, by market, VIP level and day: data with its source, and nothing else.

Texts in basis points, so that whoever counts reads them in a number type of its own. A table holds from its day on
until the next of its venue and market; a level that nobody has written down is not in it.
"""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Final, NamedTuple


class FeeTable(NamedTuple):
    """Maker and taker fee in basis points by VIP level, and what is left of a fee that is paid in BNB."""

    venue: str
    market: str
    since: date
    levels: Mapping[int, tuple[str, str]]
    bnb_factor: str


FEE_TABLES: Final = (
    # The schedule that Binance's announcement of 31 May 2022 calls the previous one; the general fee was never another.
    FeeTable(
        "binance",
        "spot",
        date(2017, 7, 14),
        MappingProxyType(
            {
                0: ("10", "10"),
                1: ("9", "10"),
                2: ("8", "10"),
                3: ("7", "10"),
                4: ("7", "9"),
                5: ("6", "8"),
                6: ("5", "7"),
                7: ("4", "6"),
                8: ("3", "5"),
                9: ("2", "4"),
            }
        ),
        "0.75",
    ),
    # The same announcement: levels from 4 up pay what 9 pays.
    FeeTable(
        "binance",
        "spot",
        date(2022, 6, 1),
        MappingProxyType(
            {0: ("10", "10"), 1: ("9", "10"), 2: ("8", "10"), 3: ("7", "10")} | dict.fromkeys(range(4, 10), ("2", "4"))
        ),
        "0.75",
    ),
    # As pages of third parties show it; the day it came into force is not known, so it stands at a year's beginning.
    FeeTable(
        "binance",
        "spot",
        date(2025, 1, 1),
        MappingProxyType(
            {
                0: ("10", "10"),
                1: ("9", "10"),
                2: ("8", "10"),
                3: ("4.2", "6"),
                4: ("4.2", "5.4"),
                5: ("3.6", "4.8"),
                6: ("3", "4.2"),
                7: ("2.4", "3.6"),
                8: ("1.8", "3"),
                9: ("1.2", "2.4"),
            }
        ),
        "0.75",
    ),
    # Perpetuals against USDT; of the higher levels no two pages say the same.
    FeeTable("binance", "usdm", date(2025, 1, 1), MappingProxyType({0: ("2", "5")}), "0.9"),
)
