"""How a gateway begins: the rules and the time first, a key that may trade and no more, and nothing of it told on."""

import asyncio
import logging
from dataclasses import replace
from typing import Final

import pytest

from services.sim_exchange.face.keys import ApiKey
from shared.execution.vocabulary import (
    Acknowledged,
    InstrumentsKnown,
    KeyRightsTold,
    NotSent,
    ReadAccount,
    StreamLost,
    StreamOpened,
    VenueClock,
    WeightTold,
)
from shared.mesh.gateway.client import hang_up, venue_client
from shared.mesh.gateway.gateway import Gateway
from shared.mesh.gateway.venues.catalog import VENUES
from shared.mesh.service.plan import OutsideUnusableError
from shared.mesh.settings import Credentials
from tests.services.sim_exchange.face.venue import ALICE, READER
from tests.services.sim_exchange.faults.sabotaged import Sabotaged
from tests.shared.mesh.gateway.opened import BRISK, PATIENCE_S, KeyAtHand, an_order, opened

WITHDRAWER = ApiKey(
    key="withdrawer".ljust(64, "W"), secret="w" * 64, account="alice", may_trade=True, may_withdraw=True
)
BOUND = ApiKey(
    key="bound".ljust(64, "B"), secret="b" * 64, account="alice", may_trade=True, addresses=frozenset({"127.0.0.1"})
)
RIGHTS = {"endpoint": "GET /sapi/v1/account/apiRestrictions"}


class KeyThatComesLater:
    """A key that is not there when it is first asked for."""

    missing: Final = "there is no key yet: somebody makes it"

    def __init__(self) -> None:
        self._asked = 0

    def read(self) -> Credentials | None:
        """Return it at the third time."""
        self._asked += 1
        return KeyAtHand().read() if self._asked > 2 else None


class UnusableKey:
    """A key that cannot be read."""

    missing: Final = ""

    def read(self) -> Credentials | None:
        """Refuse."""
        raise OutsideUnusableError("it cannot be read: correct it")


def url_of(exchange: Sabotaged) -> str:
    """Return where an exchange is."""
    return f"http://127.0.0.1:{exchange.venue.port}"


async def refusal(gateway: Gateway) -> str:
    """Return why a gateway cannot go on."""
    running = gateway._running
    assert running is not None
    with pytest.raises(OutsideUnusableError) as refused:
        await asyncio.wait_for(asyncio.shield(running), PATIENCE_S)
    return str(refused.value)


async def test_rules_come_before_the_time_and_the_stream(exchange: Sabotaged) -> None:
    """The rules of the symbols come first, then the venue's time, and the stream when all is known."""
    async with opened(url_of(exchange)) as gateway:
        await gateway.is_ready()
        kinds = [type(one) for one in gateway.brought.all if not isinstance(one, WeightTold)]
        assert kinds.index(InstrumentsKnown) < kinds.index(VenueClock) < kinds.index(StreamOpened)


async def test_key_is_waited_for(exchange: Sabotaged) -> None:
    """A key that is not there yet is waited for, and that is said."""
    async with opened(url_of(exchange), key=KeyThatComesLater()) as gateway:
        await gateway.is_ready()
        lost = gateway.brought.of(StreamLost)
        assert [one.reason for one in lost] == ["there is no key yet: somebody makes it"]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (KeyAtHand(WITHDRAWER), "may withdraw: take that right from it at the exchange"),
        (KeyAtHand(READER), "may not trade: give it that right at the exchange"),
        (UnusableKey(), "it cannot be read: correct it"),
    ],
)
async def test_key_with_other_rights_is_refused(exchange: Sabotaged, key: KeyAtHand, words: str) -> None:
    """A key that may withdraw, or may not trade, ends the process with what a person has to do."""
    exchange.venue.keys.add(WITHDRAWER)
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    async with opened(url_of(exchange), key=key) as gateway:
        assert words in await refusal(gateway.gateway)
        assert all(told.unknown_for for told in gateway.brought.of(KeyRightsTold))


async def test_key_that_nobody_knows_is_asked_for_again(exchange: Sabotaged) -> None:
    """As long as the venue says nothing of the key's rights, the reason is told, and it is asked again."""
    rule = exchange.suffer("key_revoked", when={"account": "alice"})
    async with opened(url_of(exchange)) as gateway:
        await gateway.brought.first(KeyRightsTold, lambda told: "HTTP 401" in (told.unknown_for or ""))
        exchange.saboteur.remove(rule.fault_id)
        await gateway.is_ready()
        await gateway.brought.first(KeyRightsTold, lambda told: told.unknown_for is None)


async def test_venue_that_is_down_is_waited_for(exchange: Sabotaged) -> None:
    """A venue under maintenance is asked again until it answers, and why nothing goes on is told once."""
    rule = exchange.suffer("http_status", status=503, executed=False)
    async with opened(url_of(exchange)) as gateway:
        lost = await gateway.brought.first(StreamLost)
        assert lost.reason == "the venue does not say what it trades: HTTP 503: nothing of the venue's"
        await asyncio.sleep(0.2)
        assert len(gateway.brought.of(StreamLost)) == 1
        exchange.saboteur.remove(rule.fault_id)
        await gateway.is_ready()


async def test_venue_that_does_not_answer_of_rights_alone_takes_what_reduces_risk(exchange: Sabotaged) -> None:
    """A 404 in the place of a key's rights, whoever it is from, is no right: that is told before any entry may pass.

    The venue answers it elsewhere than it trades. So orders, cancellations, readings and the stream go on.
    """
    rule = exchange.suffer("http_status", status=404, executed=False, when=RIGHTS)
    async with opened(url_of(exchange)) as gateway:
        await gateway.is_ready()
        told = await gateway.brought.first(KeyRightsTold, lambda told: "404" in (told.unknown_for or ""))
        assert told.unknown_for == "HTTP 404: nothing of the venue's"
        kinds = [type(one) for one in gateway.brought.all]
        assert kinds.index(KeyRightsTold) < kinds.index(StreamOpened)
        assert gateway.brought.of(KeyRightsTold)[0].unknown_for == "it was not asked yet"
        assert isinstance((await gateway.sent(an_order())).outcome, Acknowledged)
        assert (await gateway.read()).failure is None
        assert isinstance((await gateway.canceled()).outcome, Acknowledged)
        assert all(told.unknown_for for told in gateway.brought.of(KeyRightsTold))
        exchange.saboteur.remove(rule.fault_id)
        await gateway.brought.first(KeyRightsTold, lambda told: told.unknown_for is None)


async def test_key_that_proves_unusable_late_ends_the_process(exchange: Sabotaged) -> None:
    """However much was done with it meanwhile: once it is known to withdraw, nothing more is."""
    exchange.venue.keys.add(WITHDRAWER)
    rule = exchange.suffer("http_status", status=503, executed=False, when=RIGHTS)
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    async with opened(url_of(exchange), key=KeyAtHand(WITHDRAWER)) as gateway:
        await gateway.is_ready()
        exchange.saboteur.remove(rule.fault_id)
        assert "may withdraw" in await refusal(gateway.gateway)
        assert isinstance((await gateway.sent(an_order())).outcome, NotSent)


@pytest.mark.parametrize(("key", "is_said"), [(ALICE, True), (BOUND, False)], ids=["from anywhere", "from here"])
async def test_key_that_works_from_anywhere_is_told_of(exchange: Sabotaged, key: ApiKey, *, is_said: bool) -> None:
    """A key that is bound to no address is used, and that is said; of one that is bound nothing is."""
    exchange.venue.keys.add(BOUND)
    async with opened(url_of(exchange), key=KeyAtHand(key)) as gateway:
        told = await gateway.brought.first(KeyRightsTold, lambda told: told.unknown_for is None)
        assert told.is_bound != is_said


async def test_nothing_secret_is_shown(exchange: Sabotaged, caplog: pytest.LogCaptureFixture) -> None:
    """Neither key nor secret nor signature is in a log, a happening or the gateway's own picture of itself."""
    caplog.set_level(logging.DEBUG)
    async with opened(url_of(exchange)) as gateway:
        await gateway.is_ready()
        exchange.suffer("drop_request")
        await gateway.sent(an_order())
        await gateway.canceled()
        await gateway.read()
        shown = caplog.text + repr(gateway.brought.all) + repr(gateway.gateway) + str(vars(gateway.gateway))
        for secret in (ALICE.key, ALICE.secret, "signature="):
            assert secret not in shown


async def test_client_does_nothing_by_itself(exchange: Sabotaged) -> None:
    """Ccxt neither waits before it signs nor sends anything again."""
    credentials = KeyAtHand().read()
    assert credentials is not None
    client = venue_client(VENUES["binance"], url=url_of(exchange), credentials=credentials)
    assert not client.enableRateLimit
    assert client.options["maxRetriesOnFailure"] == 0
    await hang_up(client)


async def test_closing_at_any_moment_leaves_nothing_behind(exchange: Sabotaged) -> None:
    """A gateway that is closed while it begins, or while orders are under way, lets go of everything."""
    exchange.suffer("late_arrival", delay_ms=300)
    for waiting_s in (0.0, 0.05, 0.4):
        async with opened(url_of(exchange), pace=replace(BRISK, reads_at_once=1)) as gateway:
            gateway.gateway.perform(ReadAccount(1))
            await asyncio.sleep(waiting_s)
