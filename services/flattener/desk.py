"""The flattener's hands: the way to the venue, the executor's records, and its role.

Ending a process, taking its locks and reading its journal may take seconds, so all of that is done beside the loop. No
order leaves unless the role is ours at that moment, and none that would buy.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from proto.codec import EnvelopeCodec
from services.flattener.core.past import Past, PastFold
from services.flattener.vocabulary import (
    GiveRoleBack,
    ReadRecords,
    RecordsRead,
    RoleHeld,
    RoleIsFree,
    RoleNotHeld,
    TakeRole,
)
from shared.core.service import FromOutside, Outward
from shared.execution.belonging import why_not_ours
from shared.execution.core import TradedAccount
from shared.execution.governor import EgressLimits
from shared.execution.vocabulary import CancelOrder, CancelSent, NotSent, OrderSent, SendOrder
from shared.mesh.anchors import Witnessed, anchors_of
from shared.mesh.clock import Clock
from shared.mesh.epoch import EpochUnknownError
from shared.mesh.fencing import Fence, FenceRefused, fence
from shared.mesh.journal import RealDisk, journal_directory
from shared.mesh.journal_tail import JournalTail, TailUnreadError, journal_tail
from shared.mesh.past_lives import remembered
from shared.mesh.private_directory import PrivateDirectory, PrivateFileError
from shared.mesh.seat import Post
from shared.mesh.service import Outside
from shared.mesh.service.watching import watched
from shared.mesh.settings import Configuration
from shared.mesh.trading_account import account_of, limits_of

EXECUTOR: Final = "executor"
OURSELVES: Final = "flattener"
NOT_OURS: Final = NotSent("the executor's role is not ours")
NEVER: Final = NotSent("the flattener buys nothing, whoever wants it")


class Desk:
    """Does what the core wants of the world."""

    def __init__(self, configuration: Configuration, gateway: Outside, *, clock: Clock) -> None:
        self._configuration: Final = configuration
        self._gateway: Final = gateway
        self._post: Final = Post(EXECUTOR, PrivateDirectory(configuration.seats_directory), clock)
        self._fence: Fence | None = None

    def open(self, bring: Callable[[FromOutside], None]) -> None:
        """Begin."""
        self._bring: Callable[[FromOutside], None] = bring
        self._gateway.open(bring)

    def perform(self, effect: Outward) -> None:
        """Do what the core wants; what comes of it is brought later."""
        match effect:
            case ReadRecords():
                _ = watched(self._read())
            case TakeRole():
                _ = watched(self._take())
            case GiveRoleBack():
                _ = watched(self._give_back())
            case SendOrder(client_order_id=name, side="buy"):
                self._bring(OrderSent(name, NEVER, None))
            case SendOrder(client_order_id=name) if not self._is_ours():
                self._bring(OrderSent(name, NOT_OURS, None))
            case CancelOrder(client_order_id=name) if not self._is_ours():
                self._bring(CancelSent(name, NOT_OURS))
            case _:
                self._gateway.perform(effect)

    def close(self) -> None:
        """End; a role that is held is let go."""
        self._gateway.close()
        self._hand_back()

    def _is_ours(self) -> bool:
        """Say whether the executor's lock keeps everybody else out: a hand in the directory may have taken it."""
        return self._fence is not None and self._fence.seat.is_intact()

    async def _read(self) -> None:
        try:
            past = await asyncio.to_thread(self._past)
        except TailUnreadError as error:
            self._bring(RecordsRead(None, str(error)))
        else:
            self._bring(RecordsRead(past, ""))

    async def _take(self) -> None:
        taken = await asyncio.to_thread(self._taken)
        if isinstance(taken, str):
            self._bring(RoleNotHeld(taken))
            return
        self._fence, past = taken
        self._bring(RoleHeld(self._fence.seat.epoch, past))

    async def _give_back(self) -> None:
        await asyncio.to_thread(self._hand_back)
        self._bring(RoleIsFree())

    def _taken(self) -> tuple[Fence, Past] | str:
        """Take the role and read what its holder wrote to its end, which is behind it now; or say why not."""
        known_epoch = remembered(self._configuration.past_lives_directory, EXECUTOR).epoch
        while True:
            try:
                held = fence(self._post, by=OURSELVES, known_epoch=known_epoch)
            except (EpochUnknownError, PrivateFileError) as error:
                return str(error)
            if isinstance(held, FenceRefused):
                return held.words
            try:
                past = self._past()
            except TailUnreadError as error:
                held.hand_back()
                return str(error)
            known_epoch = 0 if past.newest is None else past.newest.epoch
            if known_epoch < held.seat.epoch:
                return held, past
            held.hand_back()  # an old copy of the epoch's file was put back: begin above what the journal knows

    def _hand_back(self) -> None:
        held, self._fence = self._fence, None
        if held is not None:
            held.hand_back()

    def _past(self) -> Past:
        settings = self._configuration.settings
        return past_in(self._tail(EXECUTOR), self._tail(OURSELVES), account_of(settings), limits_of(settings))

    def _tail(self, instance: str) -> JournalTail | None:
        kept = anchors_of(self._configuration.anchors_directory, instance)
        anchors = [found.anchor for found in kept if isinstance(found, Witnessed)]
        disk = RealDisk(journal_directory(self._configuration.var_directory, instance))
        return journal_tail(disk, codec=EnvelopeCodec(), anchors=anchors)


def past_in(
    executor: JournalTail | None, ours: JournalTail | None, account: TradedAccount, limits: EgressLimits
) -> Past:
    """Read two journals, a record at a time; TailUnreadError: one cannot be believed, or is of another account."""
    fold = PastFold(account, limits)
    if executor is not None:
        fold.executor(executor.state, executor.past())
    if (why := why_not_ours(fold.engine.books.account, account.name)) is not None:
        raise TailUnreadError(why)
    if ours is not None:
        fold.ours(*ours.page(fold.has_adopted))
    return Past(fold.engine, None if executor is None else executor.newest())
