"""The exchange in its process: log, matching core, market, face and faults put together, on the loop of the shell."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.sim_exchange.accounts_file import AccountOnFile, AccountsUnusableError, accounts_of
from services.sim_exchange.core import Serving
from services.sim_exchange.face.app import Face
from services.sim_exchange.face.desk import Desk
from services.sim_exchange.face.door import Request
from services.sim_exchange.face.keys import KeyRing
from services.sim_exchange.face.weights import Limits
from services.sim_exchange.faults.admin import ADMISSION_FILE, AdminSocket, fresh_token
from services.sim_exchange.faults.clock import SkewableClock
from services.sim_exchange.faults.saboteur import Fired, Saboteur
from services.sim_exchange.faults.scenario import Scenario
from services.sim_exchange.faults.scope import FaultRefusedError
from services.sim_exchange.market.candles import Candles
from services.sim_exchange.market.intervals import MINUTE_MS
from services.sim_exchange.market.market import Market
from services.sim_exchange.market.script import Scripts
from services.sim_exchange.market.settings import MarketSettings, SymbolMarket
from services.sim_exchange.market.source import History, PriceSource
from services.sim_exchange.record.book_of_record import BookOfRecord, RecordDamagedError
from services.sim_exchange.venue.exchange import Exchange
from services.sim_exchange.venue.vocabulary import ClientIdRule, Event, OpenAccount, RulesChanged, SetRules, Transfer
from shared.core.service import FromOutside, Outward
from shared.mesh.clock import Clock
from shared.mesh.private_directory import PrivateDirectory, PrivateFileError
from shared.mesh.service.plan import OutsideUnusableError
from shared.mesh.service.watching import watched
from shared.mesh.settings.doors import HOST, Door

FOLDER: Final = "exchange"
LOG_FOLDER: Final = "log"
NS_PER_MS: Final = 1_000_000


Prices = Callable[[MarketSettings, int], PriceSource]  # of a market that opens at this time


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What is chosen for an exchange. Without an `admin_door` it takes no commands beside those of its clients."""

    directory: Path
    door: Door
    admin_door: Door | None
    seed: int
    client_ids: ClientIdRule
    symbols: tuple[SymbolMarket, ...]
    prices: Prices
    scenario: Scenario | None


class OtherMarketError(Exception):
    """A log of an exchange with symbols that this one does not have; the message says which, and what to do."""


class SimExchange:
    """Everything of the exchange that is not the mesh's: what the plan of its process calls its outside."""

    def __init__(self, choice: Choice, clock: Clock) -> None:
        self._choice: Final = choice
        self._settings: Final = MarketSettings(seed=choice.seed, symbols=choice.symbols)
        self._clock: Final = SkewableClock(lambda: clock.wall_ns() // NS_PER_MS)
        self._serving: asyncio.Task[None] | None = None
        self._record: BookOfRecord | None = None

    def open(self, bring: Callable[[FromOutside], None]) -> None:
        """Find out where we were, and open the doors."""
        self._bring: Callable[[FromOutside], None] = bring
        self._serving = watched(self._serve())

    def perform(self, effect: Outward) -> None:
        """Do nothing: the process's core has no wishes."""
        raise AssertionError(f"nobody wants {effect} of an exchange")

    def close(self) -> None:
        """Shut the doors, and the log."""
        if self._serving is not None:
            self._serving.cancel()
        if self._record is not None:
            self._record.close()

    async def _serve(self) -> None:
        try:
            await self._serve_until_cancelled()
        except (AccountsUnusableError, OtherMarketError, PrivateFileError, RecordDamagedError) as error:
            raise OutsideUnusableError(str(error)) from error
        except FaultRefusedError as error:
            raise OutsideUnusableError(f"the scenario cannot be played: {error}") from error

    async def _serve_until_cancelled(self) -> None:
        opened_ms = self._clock()
        home = PrivateDirectory(self._choice.directory)
        accounts = accounts_of(home)
        scripts = Scripts(
            history=History(self._choice.prices(self._settings, opened_ms)),
            symbols=self._settings.rules(),
            seed=self._settings.seed,
        )
        # A season of minutes takes longer to make than a loop may stand still.
        await asyncio.to_thread(_look_at, scripts, opened_ms)
        # Not before the doors open: the ids of an exchange that stood by come after those of the one before it.
        exchange = Exchange(client_ids=self._choice.client_ids, opened_ms=opened_ms)
        self._record = BookOfRecord(PrivateDirectory(home.path / LOG_FOLDER), exchange)
        self._check_symbols(exchange)
        self._record.begin(opened_ms)
        desk = Desk(core=exchange, clock=self._clock, on_told=self._write_down)
        market = Market(settings=self._settings, scripts=scripts)
        self._found(desk, accounts, market)
        saboteur = Saboteur(desk=desk, clock=self._clock, seed=self._settings.seed, on_fired=self._write_fault)
        face = Face(
            desk=desk,
            candles=Candles(scripts=scripts, opened_ms=opened_ms),
            keys=KeyRing(key for account in accounts for key in account.api_keys()),
            interference=saboteur,
            limits=Limits(),
            on_request=self._write_request,
        )
        admin = AdminSocket(desk=desk, saboteur=saboteur, token=fresh_token(home))
        try:
            port = await _opened(self._choice.door, lambda door: face.start(HOST, door.port))
            commands = ""
            if self._choice.admin_door is not None:
                admin_port = await _opened(self._choice.admin_door, lambda door: admin.start(door.port))
                commands = f"http://{HOST}:{admin_port}, with the token in {home.path / ADMISSION_FILE}"
            if self._choice.scenario is not None:
                saboteur.play(self._choice.scenario)
            names = tuple(account.account for account in accounts)
            self._bring(Serving(f"http://{HOST}:{port}", commands, tuple(self._settings.rules()), names))
            await self._let_the_market_live(desk, market)
        finally:
            with suppress(asyncio.CancelledError):
                face.announce_shutdown()
                await admin.stop()
                await face.stop()

    def _check_symbols(self, exchange: Exchange) -> None:
        unknown = sorted(exchange.rules().keys() - self._settings.rules().keys())
        if unknown:
            raise OtherMarketError(
                f"the log in {self._choice.directory} knows {', '.join(unknown)}, which this market does not have: "
                f"move {self._choice.directory} away, or run with the same symbols"
            )

    def _found(self, desk: Desk, accounts: Sequence[AccountOnFile], market: Market) -> None:
        """Set the symbols' rules, and open the accounts that are new; what they begin with comes in once.

        Rules that a fault or a person had changed are as before: whoever was to end that went down with the exchange.
        """
        listed, known = desk.core.rules(), desk.core.accounts()
        for symbol, rules in self._settings.rules().items():
            if listed.get(symbol) != rules:
                desk.carry_out(SetRules(rules=rules))
        for account in accounts:
            if known.get(account.account) != account.fees:
                desk.carry_out(OpenAccount(account=account.account, fees=account.fees))
            if account.account not in known:
                for asset, amount in account.begins_with.items():
                    desk.carry_out(Transfer(account=account.account, asset=asset, amount=amount))
        for command in market.opening():
            desk.carry_out(command)
        market.heard([RulesChanged(rules=rules) for rules in desk.core.rules().values()])

    async def _let_the_market_live(self, desk: Desk, market: Market) -> None:
        others: list[Event] = []
        desk.listen(lambda events, _now_ms: others.extend(events))
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            market.heard(others)
            others.clear()
            for command in market.step(self._clock.true_ms()):
                outcome = desk.carry_out(command)
                others.clear()  # these are heard with the answer
                market.answered(command, outcome)
            due = max(due + self._settings.step_ms / 1_000, loop.time())
            await asyncio.sleep(due - loop.time())

    def _write_down(self, events: Sequence[Event]) -> None:
        self._write(lambda record: record.happened(tuple(events), self._clock.true_ms()))

    def _write_request(self, request: Request, account: str | None) -> None:
        self._write(
            lambda record: record.received(
                endpoint=request.called,
                address=request.address,
                account=account,
                sent=dict(request.sent),
                at_ms=self._clock.true_ms(),
            )
        )

    def _write_fault(self, fired: Fired) -> None:
        self._write(lambda record: record.interfered(fired))

    def _write(self, write: Callable[[BookOfRecord], None]) -> None:
        """Write it into the log, or end: what cannot be remembered must not be acknowledged."""
        assert self._record is not None, "nothing happens before the log is open"
        try:
            write(self._record)
        except PrivateFileError as error:
            told = {"message": "the log cannot be written", "exception": OutsideUnusableError(str(error))}
            asyncio.get_running_loop().call_exception_handler(told)
            raise


async def _opened(door: Door, start: Callable[[Door], Awaitable[int]]) -> int:
    try:
        return await start(door)
    except OSError as error:
        raise OutsideUnusableError(door.fault(error)) from error


def _look_at(scripts: Scripts, now_ms: int) -> None:
    for symbol in scripts.symbols:
        scripts.minute(symbol, now_ms - now_ms % MINUTE_MS)
