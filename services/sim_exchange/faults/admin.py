"""The admin socket: faults, transfers and rules on command, for tests and for whoever demonstrates. Off by default.

It listens on this machine only, and answers whoever shows the token that it wrote into a file of its owner's. Whoever
runs the exchange makes it, or does not.
"""

import hmac
import secrets
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Final, get_args

import msgspec
from aiohttp import web

from services.sim_exchange.face.desk import Desk
from services.sim_exchange.faults.hand import Hand
from services.sim_exchange.faults.reading import read_fault
from services.sim_exchange.faults.rulebook import Rule
from services.sim_exchange.faults.saboteur import Saboteur
from services.sim_exchange.faults.scope import FaultRefusedError
from services.sim_exchange.faults.vocabulary import RulesChange
from services.sim_exchange.venue.amounts import is_transferable
from services.sim_exchange.venue.vocabulary import Refused, SymbolStatus, Transfer
from shared.mesh.private_directory import PrivateDirectory

HOST: Final = "127.0.0.1"
ADMISSION_FILE: Final = "sim-exchange-admin.token"
BODY_BYTES_MAX: Final = 64 * 1024
GOODBYE_SECONDS: Final = 1.0
STATUSES: Final[tuple[SymbolStatus, ...]] = get_args(SymbolStatus)
_TOKEN_BYTES: Final = 32

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class _TransferAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    account: str
    asset: str
    amount: Decimal


def fresh_token(directory: PrivateDirectory) -> str:
    """Return a new token, and leave it where the owner of the exchange finds it."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    directory.replace_file(ADMISSION_FILE, token.encode())
    return token


class AdminSocket:
    """Serves the commands."""

    def __init__(self, *, desk: Desk, saboteur: Saboteur, token: str) -> None:
        self._desk: Final = desk
        self._saboteur: Final = saboteur
        self._hand: Final = Hand(desk)
        self._token: Final = token.encode()
        application = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[self._admitted])
        application.add_routes(
            [
                web.get("/faults", self._faults),
                web.post("/faults", self._add),
                web.delete("/faults", self._remove_all),
                web.delete("/faults/{id}", self._remove),
                web.post("/transfer", self._transfer),
                web.post("/rules", self._set_rules),
                web.get("/accounts", self._accounts),
                web.get("/orders", self._orders),
            ]
        )
        self._runner: Final = web.AppRunner(
            application, access_log=None, handle_signals=False, shutdown_timeout=GOODBYE_SECONDS
        )

    async def start(self, port: int) -> int:
        """Serve on this machine, and return the port: the one asked for, or for 0 one that was free."""
        await self._runner.setup()
        await web.TCPSite(self._runner, HOST, port).start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Serve no longer."""
        await self._runner.cleanup()

    @web.middleware
    async def _admitted(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Let in who shows the token, and turn what is refused into an answer that says what to write."""
        shown = request.headers.get("Authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(shown, b"Bearer " + self._token):
            return _said(f"no entry: send the token in {ADMISSION_FILE} as `Authorization: Bearer ...`", status=401)
        try:
            return await handler(request)
        except FaultRefusedError as refused:
            return _said(str(refused), status=400)

    async def _faults(self, _: web.Request) -> web.Response:
        return _json({"faults": [_described(rule) for rule in self._saboteur.rules()]})

    async def _add(self, request: web.Request) -> web.Response:
        written = await _object(request)
        fault_id = written.pop("id", None)
        if fault_id is not None and not (isinstance(fault_id, str) and fault_id):
            raise FaultRefusedError("id", "is no name: write a text, or leave it out")
        return _json(_described(self._saboteur.add(read_fault(written), fault_id=fault_id)), status=201)

    async def _remove(self, request: web.Request) -> web.Response:
        fault_id = request.match_info["id"]
        rule = self._saboteur.remove(fault_id)
        if rule is None:
            return _said(f"there is no fault `{fault_id}`: GET /faults lists them", status=404)
        return _json(_described(rule))

    async def _remove_all(self, _: web.Request) -> web.Response:
        rules = self._saboteur.rules()
        for rule in rules:
            self._saboteur.remove(rule.fault_id)
        return _json({"faults": [_described(rule) for rule in rules]})

    async def _transfer(self, request: web.Request) -> web.Response:
        try:
            asked = msgspec.convert(await _object(request), _TransferAsked)
        except msgspec.ValidationError as error:
            text = f'{error}: write for example {{"account": "demo", "asset": "USDT", "amount": "-100"}}'
            raise FaultRefusedError("", text) from None
        self._check_account(asked.account)
        amount = asked.amount
        if not (amount and is_transferable(amount)):
            raise FaultRefusedError(
                "amount", 'is no amount with up to 8 digits behind the point: write "12.5" or "-12.5"'
            )
        answer = self._desk.carry_out(Transfer(account=asked.account, asset=asked.asset, amount=amount)).answer
        if isinstance(answer, Refused):
            raise FaultRefusedError("amount", f"{answer.message} Take out no more than is free")
        return _json(self._account(asked.account))

    async def _set_rules(self, request: web.Request) -> web.Response:
        written = await _object(request)
        status = written.pop("status", None)
        if "when" in written:
            raise FaultRefusedError(
                "when", "rules stay until they are set again, or a restart: POST /faults for some that end"
            )
        if status is not None and status not in STATUSES:
            raise FaultRefusedError("status", f"write one of {', '.join(STATUSES)}")
        symbol = written.get("symbol")
        if not isinstance(symbol, str):
            raise FaultRefusedError("symbol", "is missing: write for example BTCUSDT")
        self._hand.check_listed(symbol)
        if status is None or len(written) > 1:
            change = read_fault({**written, "kind": "rules_change"})
            assert isinstance(change, RulesChange), "the kind says so"
            self._hand.set_filters(symbol, change.changes())
        if status is not None:
            self._hand.set_status(symbol, status)
        return _json(msgspec.to_builtins(self._desk.core.rules()[symbol]))

    async def _accounts(self, _: web.Request) -> web.Response:
        return _json({"accounts": [self._account(name) for name in self._desk.core.accounts()]})

    async def _orders(self, request: web.Request) -> web.Response:
        account = request.query.get("account", "")
        self._check_account(account)
        found = self._desk.core.orders(account, request.query.get("symbol"), only_open="open" in request.query)
        return _json({"orders": [msgspec.to_builtins(order) for order in found]})

    def _check_account(self, account: str) -> None:
        accounts = self._desk.core.accounts()
        if account not in accounts:
            raise FaultRefusedError("account", f"`{account}` was not opened: write one of {', '.join(accounts)}")

    def _account(self, name: str) -> dict[str, object]:
        return {"account": name, "balances": msgspec.to_builtins(self._desk.core.balances(name))}


async def _object(request: web.Request) -> dict[str, object]:
    """Return the mapping that a request brings."""
    try:
        return msgspec.json.decode(await request.read(), type=dict[str, object])
    except (msgspec.DecodeError, RecursionError) as error:
        raise FaultRefusedError("", f"the body is no mapping in JSON ({error}): write {{...}}") from None


def _described(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.fault_id,
        "fault": msgspec.to_builtins(rule.fault),
        "since_ms": rule.since_ms,
        "until_ms": rule.until_ms,
        "has_begun": rule.has_begun,
        "has_ended": rule.has_ended,
        "seen": rule.seen,
        "fired": rule.fired,
    }


def _json(answer: object, *, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(answer), status=status, content_type="application/json")


def _said(error: str, *, status: int) -> web.Response:
    return _json({"error": error}, status=status)
