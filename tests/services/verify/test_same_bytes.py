"""The checker shares no code with what it judges: here, and only here, are the two held together.

What the product writes the checker reads, and what the checker's tests write by the pages alone the product reads.
"""

from pathlib import Path
from typing import Final

from proto.codec import EnvelopeCodec
from proto.topics import topic_of
from services.verify.checker.evidence import PREFIX
from services.verify.checker.exchange_log import log_of, read_log
from services.verify.checker.journal import read_journal
from services.verify.checker.order_table import TABLE as CHECKED_TABLE
from services.verify.checker.words import WORDS
from shared.mesh.journal import JournalReader, Opening, RealDisk, Record, create_journal, examine
from shared.trading.order_life import TABLE
from tests.checker.life import a_story
from tests.proto.examples import BODIES, an_envelope
from tests.services.sim_exchange.record.test_book_of_record import Venue
from tests.services.sim_exchange.venue.builders import buy, sell

CODEC: Final = EnvelopeCodec()
JOURNALED: Final = frozenset({"reports", "verdicts"})


def test_what_the_mesh_writes_is_read(tmp_path: Path) -> None:
    """Every message that a journal of executor or risk may hold is a word of the checker, field by field."""
    bodies = [body for body in BODIES if topic_of(type(body)).socket in JOURNALED]
    opening = Opening(disk=RealDisk(tmp_path), prove=CODEC.decode_stored, reserve_bytes=0)
    journal = create_journal(opening, date="2026-03-01", state=b"")
    for body in bodies:
        journal.append(CODEC.encode(an_envelope(body)))
    journal.commit()
    journal.begin_segment(date="2026-03-02", state=b"state")
    journal.close()
    read = read_journal("executor", tmp_path)
    assert {str(body.__struct_config__.tag) for body in bodies} == set(WORDS)
    assert read.unknown == {}
    assert {trouble.what for trouble in read.troubles} == {"its envelope says number 1234"}  # as the examples do
    assert len(read.records) == len(bodies)
    for record, body in zip(read.records, bodies, strict=True):
        for name in record.body.__dataclass_fields__:
            if name != "TAG" and isinstance(found := getattr(record.body, name), str | int):
                assert found == getattr(body, name)


def test_what_the_tests_write_is_a_journal(tmp_path: Path) -> None:
    """The journals that the checker is tested with are whole to the product, and each record is a message of ours."""
    for role, written in a_story().journals().items():
        directory = tmp_path / role
        directory.mkdir(mode=0o700)
        for name, content in written.files.items():
            (directory / name).write_bytes(content)
        (directory / "committed").write_bytes(written.mark())
        disk = RealDisk(directory)
        assert examine(disk, segments_walked=9).findings == ()
        entries = JournalReader(disk, from_sequence=1).poll()
        assert len(entries) == written.sequence
        for entry in entries:
            assert isinstance(entry, Record)
            CODEC.decode_stored(entry.payload)


def test_what_the_exchange_writes_is_read(tmp_path: Path) -> None:
    """Orders, trades, transfers and balances of a real log are the exchange's own, over several segments too."""
    venue = Venue(tmp_path / "log", segment_bytes_max=4_000)
    venue.found()
    for number in range(12):
        venue.send(buy("ann", "2", "100", name=f"bw-main-{number}"), sell("bob", "1.5", "100", name=f"ask-{number}"))
    venue.record.received(
        endpoint="POST /api/v3/order", address="", account="ann", sent={"newClientOrderId": "bw-main-1"}, at_ms=1
    )
    venue.record.close()
    log = read_log(tmp_path / "log", PREFIX)
    assert log.troubles == []
    assert len({path.name for path in (tmp_path / "log").glob("*.jsonl")}) > 1
    for view in (*venue.exchange.orders("ann"), *venue.exchange.orders("bob")):
        order = log.orders[view.account, view.order_id]
        assert (order.client_id, order.last.status) == (view.client_id, view.status)
        assert (order.last.filled, order.last.filled_quote) == (view.filled, view.filled_quote)
    assert len(log.ours()) == 12
    assert len(log.trades) == sum(len(venue.exchange.own_trades(account, "BTCUSDT")) for account in ("ann", "bob"))
    for account in ("ann", "bob"):
        for asset, balance in venue.exchange.balances(account).items():
            assert log.balances[account, asset][1] == balance.free + balance.locked
    assert [request.endpoint for request in log.requests["bw-main-1"]] == ["POST /api/v3/order"]


def test_log_without_a_beginning_is_no_error() -> None:
    """An empty log is read as nothing."""
    assert log_of([], PREFIX).lines == 0


def test_tables_agree() -> None:
    """The life of an order, written out twice, is the same twice."""
    assert {state: dict(events) for state, events in CHECKED_TABLE.items()} == {
        state: dict(events) for state, events in TABLE.items()
    }
