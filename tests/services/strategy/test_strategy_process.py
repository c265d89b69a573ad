"""A strategy as a real process, beside the real feed and exchange: it asks risk, and killed, it asks for the same."""

import subprocess
import sys
from decimal import Decimal
from typing import Any, Final

from shared.mesh.bus.keys import create_keys
from shared.mesh.clock import SystemClock
from shared.mesh.private_directory import PrivateDirectory
from shared.strategies.intent_ids import intent_id
from tests.house.tree import CHECKOUT
from tests.services.feed_handler.feed_project import RUNNING, FeedProject, kill
from tests.services.feed_handler.reader import Reader
from tests.services.strategy.peer_program import ASKED, SYMBOLS

EAGER: Final = "quick adx_least=0 ma_bars=2 lookback_bars=2 volume_bars=2 rest_bars=0"  # wishes every few bars
ROUNDS_MAX: Final = 10
SECOND_NS: Final = 1_000_000_000
JUST_NOW_NS: Final = 3 * SECOND_NS


class StrategyProject(FeedProject):
    """A project with an exchange, a feed, a strategy and its peers in it."""

    def __init__(self, entry: str = f"strategy=trend_continuation 1s {' '.join(SYMBOLS)} {EAGER}") -> None:
        super().__init__()
        self.set(
            f"sim_exchange: {{port: {self.port}, volatility_pct: 400}}\n"
            f"venue: {{url: 'http://127.0.0.1:{self.port}', symbols: [{', '.join(SYMBOLS)}]}}\n"
            f"feed: {{timeframes: [1s]}}\nlogs: {{format: json}}\n"
            + (f"strategies: {{run: ['{entry}']}}\n" if entry else "")
        )

    def start_peer(self, instance: str) -> subprocess.Popen[str]:
        """Start a peer of the strategy, and wait until it runs."""
        command = [sys.executable, "-m", "tests.services.strategy.peer_program", str(self.root), instance]
        process = subprocess.Popen(command, cwd=CHECKOUT, stderr=subprocess.PIPE, text=True)
        self._processes.append(process)
        self.says(process, RUNNING)
        return process

    def start_strategy(self, instance: str = "strategy") -> subprocess.Popen[str]:
        """Start a strategy, and wait until it runs."""
        create_keys(PrivateDirectory(self.root / "var/keys"), [instance])
        return self._start_service("strategy", instance)

    def stand_by(self) -> subprocess.Popen[str]:
        """Start another process of the strategy that runs, and wait until it stands by."""
        heir = self._begin_service("strategy", "strategy")
        self.says(heir, "standing by")
        return heir


def asked_just_now(project: StrategyProject, risk: subprocess.Popen[str]) -> dict[str, Any]:
    """Return what risk is asked at this moment, passing over what it was asked before."""
    while True:
        line = project.says(risk, ASKED)
        if SystemClock().wall_ns() - line["bar_close_time_ns"] < JUST_NOW_NS:
            return line


async def test_entries_reach_risk_by_their_ids() -> None:
    """What a bar makes the kernel wish for is asked of risk, at that bar's price and under the id it gives."""
    with StrategyProject() as project:
        project.start()
        project.start_feed()
        project.start_peer("executor")
        risk = project.start_peer("risk")
        project.start_strategy()
        asked: dict[str, dict[str, Any]] = {}  # on a busy machine one may be asked for twice
        while len(asked) < 3:
            line = project.says(risk, ASKED)
            asked[line["intent"]] = line
        lines = list(asked.values())
        async with Reader(project.root) as reader:
            closes = {symbol: await reader.ask_bars("1s", 300, symbol) for symbol in SYMBOLS}
        for line in lines:
            symbol, closed_ns = line["symbol"], line["bar_close_time_ns"]
            (bar,) = [bar for bar in closes[symbol] if bar.open_time_ns + SECOND_NS == closed_ns]
            assert line["asked_as"] == line["intent"]
            assert line["intent"] == intent_id(
                strategy="trend_continuation", symbol=symbol, bar_close_time_ns=closed_ns, side="buy"
            )
            assert Decimal(line["price"]) == bar.close_price


def test_a_killed_strategy_asks_for_the_same_again() -> None:
    """Killed before risk answers, the next life, while the bar is fresh, gets the answer to the same id."""
    with StrategyProject() as project:
        project.start()
        project.start_feed()
        project.start_peer("executor")
        risk = project.start_peer("risk")
        strategy = project.start_strategy()
        for _ in range(ROUNDS_MAX):  # on a busy machine it may not be there in time
            heir = project.stand_by()
            asked = asked_just_now(project, risk)
            kill(strategy)
            strategy = heir
            answered = project.says(strategy, "an entry is refused")
            if answered["intent"] == asked["intent"]:
                return
        raise AssertionError("never was it asked for the same entry again")


def test_without_a_strategy_the_process_says_so_and_waits() -> None:
    """A process that nobody chose a strategy for runs, decides nothing, and ends when it is told to."""
    with StrategyProject(entry="") as project:
        strategy = project.start_strategy()
        assert "strategies.run" in project.says(strategy, "no strategy is chosen for this process")["what_to_do"]
        assert project.stop(strategy) == 0


def test_a_strategy_that_cannot_run_says_why() -> None:
    """It ends at once, and names the key and what to do."""
    with StrategyProject(entry="strategy=trend_continuation 5m BTC/USDT") as project:
        command = [sys.executable, "-m", "services.strategy", "--root", str(project.root)]
        ended = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
        assert ended.returncode == 78
        assert "strategies.run: strategy: nobody makes its bars of 5m" in ended.stderr
