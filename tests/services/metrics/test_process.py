"""Metrics, a feed and Redis as real processes: what arrives where, and what a death of each costs."""

import signal
import socket
from collections.abc import Iterator
from decimal import Decimal

import pytest

from proto.measures import AskMeasures, HopsGiven, MeasuresGiven
from tests.loopback import THIS_HOST
from tests.services.metrics.metrics_project import PATIENCE_S, MetricsProject, eventually

BTC = {"instance": "feed", "venue": "made_up", "symbol": "BTC/USDT"}
MEMORY_BYTES_MAX = 110_000_000


@pytest.fixture
def project() -> Iterator[MetricsProject]:
    """Return a project; what runs in it ends with the test."""
    with MetricsProject() as project:
        yield project


def test_values_of_the_market_arrive_everywhere(project: MetricsProject) -> None:
    """What a feed publishes stands in Redis, on the page and in the answer of the socket, with hops and processes."""
    for program in ("redis", "feed", "metrics"):
        project.start(program)
    eventually(lambda: project.symbol().get("link") == "open" and project.sample("bowline_store_up"))
    assert project.symbol("ETH/USDT:USDT").items() >= {
        "mid_price": "100.0", "spread_bps": "100.0000", "last_price": "100.25", "refused_count": "1", "feed": "feed",
    }.items()  # fmt: skip
    assert project.sample("bowline_symbol_mid_price", **BTC) == 100
    eventually(lambda: (project.sample("bowline_symbol_exchange_age_seconds", **BTC) or 0) < 2)
    eventually(lambda: (project.sample("bowline_feed_taken_total", kind="trades", **BTC) or 0) > 10)
    given = project.ask(AskMeasures(of="symbols and processes"))
    assert isinstance(given, MeasuresGiven)
    assert (given.store, [symbol.symbol for symbol in given.symbols]) == ("up", ["BTC/USDT", "ETH/USDT:USDT"])
    assert given.symbols[0].mid_price == Decimal(100)
    states = {process.instance: process.state for process in given.processes}
    assert states == {"feed": "running", "metrics": "running"}  # a key alone makes nobody expected
    assert {process.memory_bytes < MEMORY_BYTES_MAX for process in given.processes} == {True}
    eventually(lambda: project.sample("bowline_hop_latency_seconds_count", instance="metrics", hop="feed.market"))
    hops = project.ask(AskMeasures(of="hops"))
    assert isinstance(hops, HopsGiven)
    assert {(hop.instance, hop.latency.hop) for hop in hops.hops} >= {("metrics", "core"), ("metrics", "feed.market")}


def test_page_answers_questions_and_nothing_else(project: MetricsProject) -> None:
    """It can be read and asked for its health; other methods and other places are refused."""
    project.start("metrics", REDIS_URL="off")
    eventually(lambda: project.get("/metrics")[0] == 200)
    assert project.get("/health") == (200, "ok\n")
    assert [project.get("/metrics", method)[0] for method in ("POST", "PUT", "DELETE")] == [405] * 3
    assert project.get("/")[0] == 404
    strict = project.get("/metrics", accept="application/openmetrics-text; version=99; escaping=none")[1]
    assert strict.endswith("# EOF\n")
    assert not project.get("/metrics", accept="text/html")[1].endswith("# EOF\n")
    given = project.ask(AskMeasures(of="symbols and processes"))
    assert isinstance(given, MeasuresGiven)
    assert (given.store, project.sample("bowline_store_up")) == ("off", 0)


def test_killed_metrics_comes_back_with_everything(project: MetricsProject) -> None:
    """The next one opens the same port, finds the feed's latest, and goes on with the histories in Redis."""
    project.start("redis")
    project.start("feed")
    metrics = project.start("metrics")
    eventually(lambda: project.history_points() >= 2)
    metrics.kill()
    metrics.wait(PATIENCE_S)
    points = project.history_points()
    second = project.start("metrics")
    eventually(lambda: project.sample("bowline_process_epoch", instance="metrics") == 2)
    eventually(lambda: project.sample("bowline_symbol_link_open", **BTC) == 1)
    eventually(lambda: project.history_points() > points)
    second.terminate()
    assert second.wait(PATIENCE_S) == 0, project.log("metrics")


def test_killed_redis_is_noticed_by_nobody_else(project: MetricsProject) -> None:
    """While it is gone page and socket go on, the state of the store is told, and the next one is written to."""
    redis = project.start("redis")
    project.start("feed")
    project.start("metrics")
    eventually(lambda: project.sample("bowline_store_up") == 1)
    redis.kill()
    redis.wait(PATIENCE_S)
    before = project.sample("bowline_symbol_messages_total", **BTC)
    eventually(lambda: project.sample("bowline_store_up") == 0)
    given = project.ask(AskMeasures(of="symbols and processes"))
    assert isinstance(given, MeasuresGiven)
    assert (given.store, given.store_reason) == ("down", "nobody listens, or the connection broke")
    assert (project.sample("bowline_symbol_messages_total", **BTC) or 0) > (before or 0)
    project.start("redis")
    eventually(lambda: project.sample("bowline_store_up") == 1)
    eventually(lambda: project.symbol().get("mid_price") == "100.0")


def test_metrics_ends_in_order_while_redis_hangs(project: MetricsProject) -> None:
    """A Redis that does not answer does not keep the process from its end."""
    redis, metrics = project.start("redis"), project.start("metrics")
    eventually(lambda: project.sample("bowline_store_up") == 1)
    redis.send_signal(signal.SIGSTOP)
    eventually(lambda: project.sample("bowline_store_up") == 0)
    metrics.terminate()
    assert metrics.wait(PATIENCE_S) == 0, project.log("metrics")


def test_links_of_a_killed_feed_are_open_no_more(project: MetricsProject) -> None:
    """Two seconds after its death nobody says that its data flows, and the age of it grows."""
    feed = project.start("feed")
    project.start("metrics", REDIS_URL="off")
    eventually(lambda: project.sample("bowline_symbol_link_open", **BTC) == 1)
    feed.kill()
    eventually(lambda: project.sample("bowline_symbol_link_open", **BTC) == 0)
    eventually(lambda: (project.sample("bowline_symbol_received_age_seconds", **BTC) or 0) > 3)
    assert project.sample("bowline_process_up", instance="feed") == 0
    project.start("feed")
    eventually(lambda: project.sample("bowline_symbol_link_open", **BTC) == 1)


def test_port_that_is_taken_is_said(project: MetricsProject) -> None:
    """The process ends with code 78, and a sentence that names the port and the setting."""
    with socket.socket() as taken:
        taken.bind((THIS_HOST, project.port))
        taken.listen()
        assert project.start("metrics").wait(PATIENCE_S) == 78
    assert f"port {project.port} of 127.0.0.1 cannot be had" in project.log("metrics")
    assert "metrics.port" in project.log("metrics")
    assert '"running"' not in project.log("metrics"), "who cannot be reached does not run"


def test_address_that_is_none_is_said_without_its_password(project: MetricsProject) -> None:
    """A wrong REDIS_URL ends the process with code 78; one that leads nowhere is tried, and its password never told."""
    assert project.start("metrics", REDIS_URL="http://me:CANARY@there").wait(PATIENCE_S) == 78
    assert "REDIS_URL is no address" in project.log("metrics")
    project.start("metrics", REDIS_URL="redis://me:CANARY@127.0.0.1:1/0")
    eventually(lambda: "Redis does not take the measures" in project.log("metrics"))
    assert "CANARY" not in project.log("metrics") + project.get("/metrics")[1]
