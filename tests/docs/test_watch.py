"""The page about `bowline watch` shows what it draws."""

import re
from decimal import Decimal

from msgspec.structs import replace

from services.watch.picture.lines import HEADING, plain_lines
from services.watch.picture.screen import screen
from services.watch.picture.sight import Sight
from tests.house.tree import CHECKOUT
from tests.services.watch.examples import BTC, ETH, FEED, HOPS, NOON_NS, RISK, SHIB, SILENT, measures
from tests.services.watch.test_screen import lines_of

PAGE = (CHECKOUT / "docs/watch.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
GIVEN = measures(BTC, ETH, SHIB, FEED, RISK, replace(SILENT, process_id=4713))
TRAIL = [Decimal(64_000 + step) for step in (1, 3, 5, 9, 8, 6, 7, 4, 5, 3, 4, 6)]


def test_the_screen_on_the_page_is_what_is_drawn() -> None:
    """The example is drawn by the code, for a terminal of its size."""
    shown = BLOCKS[0]
    trails = {("feed", "BTC/USDT"): TRAIL, ("feed", "SHIB/USDT"): TRAIL[:8], ("feed", "ETH/USDT"): TRAIL[4:6]}
    sight = Sight(NOON_NS, GIVEN, HOPS, trails)
    assert lines_of(screen(sight, 120, shown.count("\n"))) == shown


def test_the_lines_on_the_page_are_what_is_piped() -> None:
    """So are the lines for other programs."""
    assert BLOCKS[1].splitlines() == [HEADING, *plain_lines(GIVEN)]
