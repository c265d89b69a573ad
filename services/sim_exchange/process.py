"""The exchange in its process: log, matching core, market and face put together, on the loop of the service shell."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from services.sim_exchange.accounts_file import AccountOnFile, AccountsUnusableError, accounts_of
from services.sim_exchange.core import CannotServe, Serving
from services.sim_exchange.face.app import Face
from services.sim_exchange.face.desk import Desk
from services.sim_exchange.face.interference import NoInterference
from services.sim_exchange.face.keys import KeyRing
from services.sim_exchange.face.weights import Limits
from services.sim_exchange.market.candles import Candles
from services.sim_exchange.market.intervals import MINUTE_MS
from services.sim_exchange.market.market import Market
from services.sim_exchange.market.script import Scripts
from services.sim_exchange.market.settings import DEFAULT_SYMBOLS, MarketSettings
from services.sim_exchange.market.source import History
from services.sim_exchange.market.synthetic import SyntheticMarket
from services.sim_exchange.record.book_of_record import BookOfRecord, RecordDamagedError
from services.sim_exchange.venue.exchange import Exchange
from services.sim_exchange.venue.vocabulary import Event, OpenAccount, RulesChanged, SetRules, Transfer
from shared.core.service import FromOutside, Outward
from shared.mesh.clock import Clock
from shared.mesh.private_directory import PrivateDirectory, PrivateFileError

HOST: Final = "127.0.0.1"  # nobody else's business: keys and orders travel unencrypted here
FOLDER: Final = "exchange"
LOG_FOLDER: Final = "log"
NS_PER_MS: Final = 1_000_000


class SimExchange:
    """Everything of the exchange that is not the mesh's: what the plan of its process calls its outside."""

    def __init__(self, *, directory: Path, port: int, seed: int, clock: Clock) -> None:
        self._directory: Final = directory
        self._port: Final = port
        self._settings: Final = MarketSettings(seed=seed, symbols=DEFAULT_SYMBOLS)
        self._clock: Final = clock
        self._tasks: Final[set[asyncio.Task[None]]] = set()
        self._record: BookOfRecord | None = None
        self._face: Face | None = None

    def open(self, bring: Callable[[FromOutside], None]) -> None:
        """Find out where we were, and open the doors."""
        self._bring: Callable[[FromOutside], None] = bring
        task = asyncio.get_running_loop().create_task(self._serve())
        self._tasks.add(task)

    def perform(self, effect: Outward) -> None:
        """Do nothing: the process's core has no wishes."""
        raise AssertionError(f"nobody wants {effect} of an exchange")

    def close(self) -> None:
        """Shut the doors, and the log."""
        for task in self._tasks:
            task.cancel()
        if self._record is not None:
            self._record.close()

    def _now_ms(self) -> int:
        return self._clock.wall_ns() // NS_PER_MS

    async def _serve(self) -> None:
        try:
            await self._serve_until_cancelled()
        except (AccountsUnusableError, PrivateFileError, RecordDamagedError) as error:
            self._bring(CannotServe(str(error)))
        except OSError as error:
            self._bring(
                CannotServe(
                    f"{HOST}:{self._port} cannot be had ({error.strerror}): end whoever has the port, or choose "
                    "another in sim_exchange.port"
                )
            )

    async def _serve_until_cancelled(self) -> None:
        opened_ms = self._now_ms()
        home = PrivateDirectory(self._directory)
        accounts = accounts_of(home)
        history = History(SyntheticMarket(self._settings))
        scripts = Scripts(history=history, symbols=self._settings.rules(), seed=self._settings.seed)
        # A season of minutes takes longer to make than a loop may stand still.
        await asyncio.to_thread(_look_at, scripts, opened_ms)
        exchange = Exchange(opened_ms=opened_ms)
        self._record = BookOfRecord(PrivateDirectory(home.path / LOG_FOLDER), exchange, now_ms=opened_ms)
        desk = Desk(core=exchange, clock=self._now_ms, on_told=self._write_down)
        market = Market(settings=self._settings, scripts=scripts)
        self._found(desk, exchange, accounts, market)
        keys = KeyRing(key for account in accounts for key in account.api_keys())
        candles = Candles(scripts=scripts, opened_ms=opened_ms)
        self._face = Face(desk=desk, candles=candles, keys=keys, interference=NoInterference(), limits=Limits())
        port = await self._face.start(HOST, self._port)
        names = tuple(account.account for account in accounts)
        self._bring(Serving(f"http://{HOST}:{port}", tuple(self._settings.rules()), names))
        try:
            await self._let_the_market_live(desk, market)
        finally:
            with suppress(asyncio.CancelledError):
                await self._face.stop()

    def _found(self, desk: Desk, exchange: Exchange, accounts: Sequence[AccountOnFile], market: Market) -> None:
        """List what is not listed yet, and open the accounts that are new; what they begin with comes in once."""
        listed, known = exchange.rules(), exchange.accounts()
        for symbol, rules in self._settings.rules().items():
            if symbol not in listed:
                desk.carry_out(SetRules(rules=rules))
        for account in accounts:
            desk.carry_out(OpenAccount(account=account.account, fees=account.fees))
            if account.account not in known:
                for asset, amount in account.begins_with.items():
                    desk.carry_out(Transfer(account=account.account, asset=asset, amount=amount))
        for command in market.opening():
            desk.carry_out(command)
        market.heard([RulesChanged(rules=rules) for rules in exchange.rules().values()])

    async def _let_the_market_live(self, desk: Desk, market: Market) -> None:
        others: list[Event] = []
        desk.listen(lambda events, _now_ms: others.extend(events))
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            market.heard(others)
            others.clear()
            for command in market.step(self._now_ms()):
                outcome = desk.carry_out(command)
                others.clear()  # these are heard with the answer
                market.answered(command, outcome)
            due = max(due + self._settings.step_ms / 1_000, loop.time())
            await asyncio.sleep(due - loop.time())

    def _write_down(self, events: Sequence[Event]) -> None:
        """Write it into the log, or end: what cannot be remembered must not be acknowledged."""
        assert self._record is not None, "nothing happens before the log is open"
        try:
            self._record.happened(tuple(events), self._now_ms())
        except PrivateFileError as error:
            self._bring(CannotServe(str(error)))
            raise


def _look_at(scripts: Scripts, now_ms: int) -> None:
    for symbol in scripts.symbols:
        scripts.minute(symbol, now_ms - now_ms % MINUTE_MS)
