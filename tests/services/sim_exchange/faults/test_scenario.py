"""A scenario that is played: its faults begin when they should, all of them or none."""

import asyncio

import ccxt
import pytest

from services.sim_exchange.face.interference import HangUpError
from services.sim_exchange.faults.scenario import read_scenario
from services.sim_exchange.faults.scope import FaultRefusedError
from services.sim_exchange.faults.waiting import WAITING_MAX, Waiting
from tests.services.sim_exchange.face.venue import BTC, Binance, within
from tests.services.sim_exchange.faults.sabotaged import SYMBOL, Sabotaged

BAD_DAY = """
seed: 7
steps:
  halted:
    at: +10s
    fault:
      kind: halt
      symbol: BTCUSDT
      when:
        until: +20s
  lost:
    at: request 3
    fault:
      kind: maintenance
      when:
        most: 1
"""


async def test_faults_begin_by_the_clock(exchange: Sabotaged) -> None:
    """A step begins so long after the start, and its own times count from its beginning."""
    exchange.saboteur.play(read_scenario(BAD_DAY, name="bad-day.yaml"))
    seen = []
    for _ in range(4):
        exchange.saboteur.tick()
        seen.append(exchange.desk.core.rules()[BTC].status)
        exchange.venue.clock.offset_ms += 10_000
    assert seen == ["TRADING", "HALT", "HALT", "TRADING"]


async def test_faults_begin_before_a_request(exchange: Sabotaged, client: Binance) -> None:
    """A step begins just before the request with its number."""
    exchange.saboteur.play(read_scenario(BAD_DAY, name="bad-day.yaml"))
    said = []
    for _ in range(4):
        try:
            said.append((await client.fetch_ticker(SYMBOL))["symbol"])
        except ccxt.BaseError as error:
            said.append(type(error).__name__)
    assert said == [SYMBOL, SYMBOL, "ExchangeNotAvailable", SYMBOL]


async def test_a_scenario_is_taken_up_as_a_whole_or_not(exchange: Sabotaged) -> None:
    """A step that the venue cannot do leaves nothing of the scenario behind."""
    text = BAD_DAY.replace("kind: maintenance", "kind: halt\n      symbol: DOGEUSDT").replace("most: 1", "until: +1s")
    with pytest.raises(FaultRefusedError, match="is not listed"):
        exchange.saboteur.play(read_scenario(text, name="bad-day.yaml"))
    assert exchange.saboteur.rules() == ()


async def test_another_scenario_takes_the_place_of_what_has_not_begun(exchange: Sabotaged) -> None:
    """Steps that were waiting for their request are gone when another scenario is played; what runs goes on."""
    exchange.saboteur.play(read_scenario(BAD_DAY, name="bad-day.yaml"))
    exchange.saboteur.play(read_scenario(BAD_DAY.replace("halted", "again"), name="bad-day.yaml"))
    assert [rule.fault_id for rule in exchange.saboteur.rules()] == ["halted", "again", "lost"]


async def test_so_many_requests_wait_and_no_more() -> None:
    """A request that finds too many others held up is lost; those go on when their time has come."""
    waiting = Waiting()
    held = [asyncio.ensure_future(waiting.until(1_000)) for _ in range(WAITING_MAX)]
    await asyncio.sleep(0)  # each begins to wait
    with pytest.raises(HangUpError):
        await waiting.until(1_000)
    waiting.advance(999)
    assert not any(task.done() for task in held)
    waiting.advance(1_000)
    await within(asyncio.gather(*held))
