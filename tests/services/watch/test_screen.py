"""The picture, line by line, for sizes great and small."""

from decimal import Decimal

import msgspec
import pytest

from services.watch.picture.concerns import concerns_of
from services.watch.picture.layout import Line, Tone, text_of, width_of
from services.watch.picture.screen import page, screen
from services.watch.picture.sight import Gathering, Sight, Silence
from tests.services.watch.examples import (
    BTC,
    FEED,
    HOPS,
    LOOPING,
    NOON_NS,
    RISK,
    SECOND,
    SHIB,
    SILENT,
    TROUBLED,
    UNHEARD,
    WELL,
    measures,
    seen,
)

TROUBLE = "metrics does not answer: `bowline up` starts what does not run, `bowline status` says how it is"
TRAILS = {("feed", "BTC/USDT"): [Decimal(price) for price in (64000, 64001, 64003, 64002, 64007, 64005, 64000)]}


def lines_of(picture: list[Line]) -> str:
    """Return the picture without its tones."""
    return "".join(f"{text_of(line)}\n" for line in picture)


def toned(picture: list[Line], tone: Tone) -> list[str]:
    """Return what has a tone."""
    return [span.text.strip() for line in picture for span in line if span.tone is tone]


WELL_AND_WIDE = """\
bowline watch  2026-09-26 12:00:00 UTC  store up
all well

symbol     feed         bid         ask  spread bps        last     mid price     age  venue age  msgs/s  refused  state
BTC/USDT   feed   64,000.12   64,000.13      0.0016   64,000.12       ▁▂▄▃█▆▁   31 ms      84 ms    47.5        0  open
SHIB/USDT  feed  0.00001712  0.00001713        5.84  0.00001713                640 ms     710 ms     3.2        0  open

process  state     pid       uptime  starts  heartbeat  CPU %   memory  queue  handled/s  loop gap
feed     running  4711   1 h 02 min       2     120 ms    7.5  124 MiB      0      312.5    2.3 ms
risk     running  4712   1 h 02 min       2     120 ms    0.8   84 MiB      0      312.5    2.3 ms

hop                               p50     p99     max  messages
feed.market → strategy-trend   110 µs  420 µs  1.1 ms     5,000
strategy-trend.intents → risk   85 µs  1.2 ms  1.2 ms         3
journal in risk                4.1 ms   38 ms   1.2 s     5,000


q quits
"""

NARROW = """\
bowline watch  2026-09-26 12:00:00 UTC  store down
not well: 6
executor silent for 3.2 s; dashboard never heard; SOL/USDT of feed-2 lost (no
route to the venue); recorder booting; ETH/USDT of feed doubted: stale, crossed;
store down (connection refused)

symbol            bid         ask  spread bps     age  msgs/s  state
BTC/USDT    64,000.12   64,000.13      0.0016   31 ms    47.5  open
SHIB/USDT  0.00001712  0.00001713        5.84  640 ms     3.2  open
ETH/USDT     3,120.50    3,120.49        0.00    12 s     0.0  doubted: stale, …
SOL/USDT            -           -           -       -     0.0  lost (no route t…

process    state                  uptime  starts  heartbeat  CPU %   memory
feed       running            1 h 02 min       2     120 ms    7.5  124 MiB
risk       running            1 h 02 min       2     120 ms    0.8   84 MiB
executor   silent for 3.2 s   1 h 02 min       2      3.2 s    7.5  124 MiB
recorder   booting                   1 s       8     120 ms    7.5  124 MiB
dashboard  never heard                 -       -          -      -        -

hop                               p50     p99     max  messages
feed.market → strategy-trend   110 µs  420 µs  1.1 ms     5,000
strategy-trend.intents → risk   85 µs  1.2 ms  1.2 ms         3
journal in risk                4.1 ms   38 ms   1.2 s     5,000
q quits
"""

LOW = """\
bowline watch  2026-09-26 12:00:00 UTC  store down
not well: 6
executor silent for 3.2 s; dashboard never heard; SOL/USDT …

symbol            bid         ask     age  state
BTC/USDT    64,000.12   64,000.13   31 ms  open
SHIB/USDT  0.00001712  0.00001713  640 ms  open
ETH/USDT     3,120.50    3,120.49    12 s  doubted: stale, …
SOL/USDT            -           -       -  lost (no route t…

process    state             heartbeat  CPU %   memory
executor   silent for 3.2 s      3.2 s    7.5  124 MiB
dashboard  never heard               -      -        -
3 more processes do not fit
q quits  no room for hops
"""


def test_the_widest_picture() -> None:
    """With room enough everything is shown, aligned, with its unit."""
    assert lines_of(screen(seen(WELL, trails=TRAILS), 140, 18)) == WELL_AND_WIDE


def test_what_does_not_fit_gives_way_in_order() -> None:
    """A narrow terminal keeps what matters most: what it is, how old it is, and what is not well."""
    assert lines_of(screen(seen(TROUBLED), 80, 24)) == NARROW


def test_what_is_not_well_comes_first_where_not_all_fits() -> None:
    """Rows that do not fit are counted, and those that want a person are among the rows that are shown."""
    assert lines_of(screen(seen(TROUBLED), 60, 15)) == LOW


def test_old_values_are_faint_under_what_is_wrong() -> None:
    """When metrics is silent the picture says for how long and what to do; nothing below it looks fresh."""
    silence = Silence(NOON_NS - 4 * SECOND, TROUBLE)
    picture = screen(seen(WELL, silence=silence), 80, 18)
    assert lines_of(picture[:5]) == (
        "bowline watch  2026-09-26 12:00:00 UTC  store up\n"
        "no answer for 4.0 s; below is how it was\n"
        "metrics does not answer: `bowline up` starts what does not run, `bowline status`\n"
        "says how it is\n"
        "\n"
    )
    assert {span.tone for line in picture[4:] for span in line} == {Tone.FAINT}


def test_before_the_first_answer() -> None:
    """It says whom it asks, and then that nobody answers."""
    assert lines_of(screen(Sight(NOON_NS), 60, 5)) == (
        "bowline watch  2026-09-26 12:00:00 UTC\nasking metrics\n\n\nq quits\n"
    )
    assert "no answer for 0.0 µs\n" in lines_of(screen(Sight(NOON_NS, silence=Silence(NOON_NS, TROUBLE)), 60, 5))


def test_colour_means_something() -> None:
    """Red is what is lost or silent, yellow what is in doubt or not yet there; nothing else has a colour."""
    picture = screen(seen(TROUBLED), 200, 40)
    assert toned(picture, Tone.ALARM) == [
        "not well: 6",
        "lost (no route to the venue)",
        "silent for 3.2 s",
        "never heard",
    ]
    assert toned(picture, Tone.WARNING) == ["doubted: stale, crossed", "booting"]
    assert toned(screen(seen(WELL), 200, 40), Tone.WELL) == ["all well"]


def test_nothing_measured_is_said() -> None:
    """Without symbols, processes or hops there is a line for each that says so."""
    empty = Sight(NOON_NS, measures(store="off"), msgspec.structs.replace(HOPS, hops=()))
    assert lines_of(page(empty, 80)) == (
        "bowline watch  2026-09-26 12:00:00 UTC  store off\n"
        "not well: 1\nno symbol, for no feed runs: see `bowline status`\n\nno symbols\n\nno processes\n\nno hops\n"
    )


def test_feed_without_a_symbol_is_not_well() -> None:
    """Who runs and names no symbol is spoken of, also beside a feed that names some; of a silent one that is said."""
    further = msgspec.structs.replace(FEED, instance="feed-2")
    words = [concern.words for concern in concerns_of(measures(BTC, FEED, further))]
    assert words == ["feed-2 names no symbol: see `bowline logs feed-2`"]
    silent = msgspec.structs.replace(SILENT, instance="feed")
    assert [concern.words for concern in concerns_of(measures(silent))] == ["feed silent for 3.2 s"]


def test_crash_loop_is_grave() -> None:
    """A process that dies again and again is no process that runs, whatever it says between its deaths."""
    picture = screen(seen(measures(BTC, FEED, LOOPING)), 120, 30)
    assert toned(picture, Tone.ALARM) == ["not well: 1", "crash loop"]
    assert "gateway crash loop\n" in lines_of(picture)


@pytest.mark.parametrize("width", [1, 2, 7, 20, 40, 79, 80, 121, 300])
@pytest.mark.parametrize("height", [1, 2, 3, 5, 8, 11, 24, 100])
@pytest.mark.parametrize("silent", [True, False])
def test_every_size_is_filled_and_not_overrun(width: int, height: int, *, silent: bool) -> None:
    """There are as many lines as the terminal has, none wider than it, however small it is."""
    sight = seen(TROUBLED, trails=TRAILS, silence=Silence(NOON_NS, TROUBLE) if silent else None)
    picture = screen(sight, width, height)
    assert len(picture) == height
    assert max(width_of(text_of(line)) for line in picture) <= width


def test_rooms_are_shared_fairly() -> None:
    """Fifty symbols leave room for the processes, and a section that needs little gives the rest to the others."""
    many = tuple(msgspec.structs.replace(SHIB, symbol=f"COIN{number}/USDT") for number in range(50))
    picture = lines_of(screen(seen(measures(*many, FEED, RISK)), 120, 30))
    assert "35 more symbols do not fit" in picture
    assert "risk " in picture
    assert "journal in risk" in picture


def test_no_name_steers_the_terminal() -> None:
    """What a venue calls a symbol is shown without its control characters, and wide characters take two cells."""
    nasty = msgspec.structs.replace(BTC, symbol="\x1b[2JBTC\n", doubts=("\x07bell",))
    coin = msgspec.structs.replace(BTC, symbol="币安人生/USDT")
    picture = page(seen(measures(nasty, coin, FEED)), 100)
    assert all(text_of(line).isprintable() for line in picture)
    rows = [text_of(line) for line in picture if "64,000.12" in text_of(line)]
    assert len({width_of(row[: row.index("64,000.12")]) for row in rows}) == 1


def test_trails_keep_a_price_for_every_five_seconds() -> None:
    """Within five seconds the latest counts; a symbol that is gone is forgotten; what is old falls off the end."""
    gathering = Gathering()

    def given(second: float, price: str | None) -> None:
        mid = None if price is None else Decimal(price)
        symbol = msgspec.structs.replace(BTC, mid_price=mid)
        gathering.given(measures(symbol, taken_wall_ns=NOON_NS + int(second * SECOND)), HOPS)

    for second, price in ((0, "1"), (1, "2"), (5, "3"), (9.9, None), (10, "4")):
        given(second, price)
    assert gathering.sight(NOON_NS).trails == {("feed", "BTC/USDT"): (Decimal(2), Decimal(3), Decimal(4))}
    for step in range(3, 40):
        given(5 * step, str(step))
    assert gathering.sight(NOON_NS).trails["feed", "BTC/USDT"] == tuple(map(Decimal, range(28, 40)))
    gathering.given(measures(UNHEARD), HOPS)
    assert gathering.sight(NOON_NS).trails == {("feed-2", "SOL/USDT"): ()}


def test_picture_stands_still_while_figures_change() -> None:
    """A zero that a price loses, a short age, a quiet second: no column moves, and no price changes its decimals."""
    gathering, pictures = Gathering(), []
    calmer = {"received_age_ns": 900_000, "messages_per_second": Decimal("0.0"), "spread_bps": Decimal(0)}
    busier = {"received_age_ns": 640_000_000, "messages_per_second": Decimal("1204.5")}
    for bid, changes in (("64000.12", {}), ("64000.1", calmer), ("64000", busier), ("64000.1", {})):
        bids = {"bid_price": Decimal(bid), "ask_price": Decimal(bid), "last_price": Decimal(bid)}
        gathering.given(measures(msgspec.structs.replace(BTC, **bids, **changes), FEED), HOPS)
        pictures.append([text_of(line) for line in page(gathering.sight(NOON_NS), 140)])
    assert len({picture[3] for picture in pictures}) == 1, "the heading of the symbols"
    bids_shown = [picture[4].split()[2] for picture in pictures]
    assert bids_shown == ["64,000.12", "64,000.10", "64,000.00", "64,000.10"]
    assert {len(picture[4].split()[4].partition(".")[2]) for picture in pictures} == {4}, "the spread"


def test_silence_lasts_from_its_first_moment() -> None:
    """The trouble may change while nobody answers; since when that is does not, until there is an answer."""
    gathering = Gathering()
    gathering.unanswered("first", 1)
    gathering.unanswered("second", 2)
    assert gathering.sight(3).silence == Silence(1, "second")
    gathering.given(measures(BTC, SILENT), HOPS)
    assert gathering.sight(4).silence is None
