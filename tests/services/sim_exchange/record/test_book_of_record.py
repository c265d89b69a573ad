"""What was told and written comes back: after the end, after a cut line, through segments; what is not ours is said."""

import resource
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.sim_exchange.record.book_of_record import (
    SEGMENTS_KEPT,
    BookOfRecord,
    RecordDamagedError,
    lines_of,
    segment_numbers,
)
from services.sim_exchange.record.lines import Happened, Opened, Received
from services.sim_exchange.venue.accounts import ORDERS_REMEMBERED
from services.sim_exchange.venue.exchange import Exchange
from services.sim_exchange.venue.vocabulary import (
    FEES_ACCOUNT,
    CancelAll,
    ClientIdRule,
    Command,
    Fees,
    OpenAccount,
    Refused,
    SetRules,
    Transfer,
)
from shared.mesh.private_directory import FileUnusableError, PrivateDirectory
from tests.services.sim_exchange.venue.builders import BTC, FUNDS, START_MS, buy, leg, oco, order, rules, sell

CLIENTS = ("ann", "bob")


class Venue:
    """An exchange whose log is on disk."""

    def __init__(
        self,
        path: Path,
        *,
        opened_ms: int = START_MS,
        segment_bytes_max: int = 1 << 20,
        client_ids: ClientIdRule = "unique while open",
    ) -> None:
        self.directory = PrivateDirectory(path)
        self.exchange = Exchange(opened_ms=opened_ms, client_ids=client_ids)
        self.now_ms = opened_ms
        self.record = BookOfRecord(self.directory, self.exchange, segment_bytes_max=segment_bytes_max)
        self.record.begin(opened_ms)

    def found(self) -> None:
        """List a symbol, and let everybody trade."""
        self.send(SetRules(rules=rules()))
        for account in CLIENTS:
            self.send(OpenAccount(account=account, fees=Fees(maker=Decimal("0.001"), taker=Decimal("0.002"))))
            for asset, amount in FUNDS.items():
                self.send(Transfer(account=account, asset=asset, amount=Decimal(amount)))

    def send(self, *commands: Command) -> None:
        """Carry commands out and write down what they brought about."""
        for command in commands:
            self.now_ms += 1
            self.record.happened(self.exchange.handle(command, self.now_ms).events, self.now_ms)

    def seen(self) -> object:
        """Return everything that a client can see."""
        exchange, depth = self.exchange, self.exchange.depth(BTC, 100)
        return (
            exchange.accounts(),
            exchange.rules(),
            {account: exchange.balances(account) for account in (*CLIENTS, FEES_ACCOUNT)},
            {account: exchange.orders(account) for account in CLIENTS},
            {account: exchange.own_trades(account, BTC) for account in CLIENTS},
            {account: exchange.lists(account) for account in CLIENTS},
            (depth.bids, depth.asks),
        )


@contextmanager
def a_folder() -> Iterator[Path]:
    """Lend a folder to an example of hypothesis, which cannot have the test's own."""
    with tempfile.TemporaryDirectory(prefix="bw-") as folder:
        yield Path(folder) / "log"


PRICES = st.sampled_from(["98", "99", "100", "101", "102"])
AMOUNTS = st.sampled_from(["0.5", "1", "2.5"])
ACCOUNTS = st.sampled_from(CLIENTS)
ORDERS: st.SearchStrategy[Command] = st.one_of(
    st.builds(buy, ACCOUNTS, AMOUNTS, PRICES),
    st.builds(sell, ACCOUNTS, AMOUNTS, PRICES),
    st.builds(order, ACCOUNTS, st.sampled_from(["BUY", "SELL"]), st.just("MARKET"), AMOUNTS),
    st.builds(
        oco,
        ACCOUNTS,
        st.just("SELL"),
        AMOUNTS,
        st.builds(leg, st.just("LIMIT_MAKER"), st.just("104")),
        st.builds(leg, st.just("STOP_LOSS_LIMIT"), st.just("96"), st.just("97")),
    ),
    st.builds(CancelAll, account=ACCOUNTS, symbol=st.just(BTC)),
    st.builds(Transfer, account=ACCOUNTS, asset=st.just("USDT"), amount=st.just(Decimal(7))),
)


@given(st.lists(ORDERS, max_size=40), st.integers(2_000, 20_000))
@settings(max_examples=60)
def test_what_was_written_is_there_again(commands: list[Command], segment_bytes_max: int) -> None:
    """Whatever was sent, however often the segments turned: another process finds the same, and counts on above it."""
    with a_folder() as path:
        venue = Venue(path, segment_bytes_max=segment_bytes_max)
        venue.found()
        venue.send(*commands)
        venue.record.close()
        again = Venue(path, opened_ms=venue.now_ms + 1, segment_bytes_max=segment_bytes_max)
        assert again.seen() == venue.seen()
        before = {view.order_id for account in CLIENTS for view in venue.exchange.orders(account)}
        again.send(buy("ann", "1", "90", name="after"))
        placed = again.exchange.order("ann", BTC, client_id="after")
        assert placed is None or placed.order_id > max(before, default=0)
        numbers = [line.number for line in lines_of(again.directory, segment_numbers(again.directory)[-1])]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_line_that_was_cut_is_as_if_it_had_never_been(tmp_path: Path) -> None:
    """At whatever byte the last line breaks off, the command it was about did not happen, and nothing else is lost."""
    venue = Venue(tmp_path / "log")
    venue.found()
    before = venue.seen()
    file = tmp_path / "log" / "00000001.jsonl"
    size = file.stat().st_size
    venue.send(buy("ann", "1", "100"))
    after, whole = venue.seen(), file.read_bytes()
    for cut in (size, size + 1, (size + len(whole)) // 2, len(whole) - 1, len(whole)):
        path = tmp_path / f"cut at {cut}"
        PrivateDirectory(path).replace_file(file.name, whole[:cut])
        assert Venue(path).seen() == (after if cut == len(whole) else before)


def test_after_a_line_that_failed_nothing_is_written(tmp_path: Path) -> None:
    """What the exchange knows and the log does not must not be told: later words are refused, and the log is whole."""
    venue = Venue(tmp_path / "log")
    venue.found()
    before = venue.seen()
    size = (tmp_path / "log" / "00000001.jsonl").stat().st_size
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, limit[1]))
    try:
        with pytest.raises(FileUnusableError, match="File too large"):
            venue.send(buy("ann", "1", "100"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, ignored)
    with pytest.raises(FileUnusableError, match="File too large"):
        venue.record.received(endpoint="GET /api/v3/order", address="", account="ann", sent={}, at_ms=1)
    assert Venue(tmp_path / "log").seen() == before


def test_request_is_written_as_it_came(tmp_path: Path) -> None:
    """A request stands in the log with who asked, what and when, and changes nothing."""
    venue = Venue(tmp_path / "log")
    venue.found()
    sent = {"symbol": BTC, "newClientOrderId": "mine"}
    venue.record.received(endpoint="POST /api/v3/order", address="127.0.0.1", account="ann", sent=sent, at_ms=5)
    *_, last = lines_of(venue.directory, 1)
    assert isinstance(last, Received)
    assert (last.endpoint, last.account, last.sent, last.at_ms) == ("POST /api/v3/order", "ann", sent, 5)
    assert Venue(tmp_path / "log").seen() == venue.seen()


def test_line_within_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Nothing is skipped in silence: the file, the line and the ways on are said."""
    venue = Venue(tmp_path / "log")
    venue.found()
    file = tmp_path / "log" / "00000001.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    for damage in (b"what?\n", b"\xff\n", b"[" * 10_000 + b"\n", lines[3].replace(b"told", b"tolb")):
        file.write_bytes(b"".join([*lines[:3], damage, *lines[4:]]))
        with pytest.raises(RecordDamagedError, match=r"line 4 of .*00000001\.jsonl cannot be read .*move .* away"):
            Venue(tmp_path / "log")


def test_old_segments_are_thrown_away(tmp_path: Path) -> None:
    """Each start and each full segment begins a new one; only the last few stay."""
    for start in range(SEGMENTS_KEPT + 3):
        Venue(tmp_path / "log", opened_ms=START_MS + start).record.close()
    directory = PrivateDirectory(tmp_path / "log")
    numbers = segment_numbers(directory)
    assert numbers == list(range(4, SEGMENTS_KEPT + 4))
    first = next(lines_of(directory, numbers[-1]))
    assert isinstance(first, Opened)
    assert first.version == 1


def test_segment_half_made_is_no_segment(tmp_path: Path) -> None:
    """A death while a new segment is made leaves the old one, which is read again."""
    venue = Venue(tmp_path / "log")
    venue.found()
    before = venue.seen()
    half_made = tmp_path / "log" / "00000002.jsonl.new"
    half_made.write_bytes(b'{"line":"Opened"')
    half_made.chmod(0o600)
    assert Venue(tmp_path / "log").seen() == before


def test_segments_turn_by_what_is_written_since(tmp_path: Path) -> None:
    """However much is carried over, the next segment comes when as much as allowed was written beside it."""
    venue = Venue(tmp_path / "log", segment_bytes_max=4_000)
    venue.found()
    for number in range(200):
        venue.send(buy("ann", "1", "100", name=f"bid {number}"), sell("bob", "1", "100", name=f"ask {number}"))
    numbers = segment_numbers(venue.directory)
    assert len(numbers) > 1
    for number in numbers[:-1]:
        written_since = [line for line in lines_of(venue.directory, number) if isinstance(line, Happened)]
        assert len(written_since) >= 2, "each line turned the segment"


def test_what_forgotten_orders_left_behind_outlives_them(tmp_path: Path) -> None:
    """Trades are remembered longer than their orders, and ids for ever where that is the rule: over restarts, too."""
    venue = Venue(tmp_path / "log", client_ids="unique for ever")
    venue.found()
    for number in range(ORDERS_REMEMBERED // 2 + 5):
        pair = (buy, sell) if number % 2 else (sell, buy)
        for turn, side in enumerate(pair):
            venue.send(side("ann", "0.06", "100", name=f"{number}{turn}", stp="NONE"))
    assert len(venue.exchange.orders("ann")) == ORDERS_REMEMBERED
    venue.record.close()
    again = Venue(tmp_path / "log", opened_ms=venue.now_ms + 1, client_ids="unique for ever")
    assert again.seen() == venue.seen()
    first = buy("ann", "0.06", "90", name="00")
    for exchange in (venue.exchange, again.exchange):
        answer = exchange.handle(first, again.now_ms).answer
        assert isinstance(answer, Refused)
        assert answer.message == "Duplicate order sent."


def test_memory_of_the_log_is_that_of_the_exchange(tmp_path: Path) -> None:
    """A new segment does not carry what the exchange has forgotten or what has changed since."""
    venue = Venue(tmp_path / "log")
    venue.found()
    for _ in range(50):
        venue.send(Transfer(account="ann", asset="USDT", amount=Decimal(1)))
    venue.record.close()
    again = Venue(tmp_path / "log", opened_ms=venue.now_ms + 1)
    opened = next(lines_of(again.directory, 2))
    assert isinstance(opened, Opened)
    assert opened.carried_over == 1 + len(CLIENTS) * (1 + len(FUNDS))
