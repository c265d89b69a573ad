"""Whom the flattener watches; what a silence leads to: a look into the executor's journal, the end of risk. Pure."""

from collections.abc import Sequence
from typing import Final

from proto.envelope import Envelope
from proto.risk import Latch, RiskSnapshot
from services.flattener.core.judgement import UNCOVERED_NS, Found, Need, Sight, need, worth_a_look
from services.flattener.core.peer import SECOND_NS, Peer
from services.flattener.vocabulary import ReadRecords
from shared.core.booting import BOOT_NS, END_AGAIN_NS, END_AGAIN_NS_MAX
from shared.core.pause import GrowingPause
from shared.core.service import Effect, HaltSeen, Listen, Moment, Note, Retire

EXECUTOR: Final = "executor"
RISK: Final = "risk"
RISK_SILENT_NS: Final = 10 * SECOND_NS
UNHEARD_NS: Final = 60 * SECOND_NS  # of a risk that was never heard in our life: it may hang since before that
LOOK_AGAIN_NS: Final = 1 * SECOND_NS  # while the latch stands, and it is not told to be flat
LOOK_RARELY_NS: Final = 15 * SECOND_NS
# Between two tenures in which nothing could be sold: twice as long each time.
PAUSE_NS_MIN: Final = 15 * SECOND_NS
PAUSE_NS_MAX: Final = 300 * SECOND_NS


class Watch:
    """Executor and risk, as they are heard, and what the executor's journal showed last."""

    def __init__(self) -> None:
        self.latch: Latch | None = None  # by the HALT file, or where there is none by risk's word
        self._executor: Final = Peer()
        self._risk: Final = Peer()
        self._file: Latch | None = None
        self._told_by_risk: Latch | None = None
        self._began_ns = self._latched_since_ns = 0
        self._known = Found()
        self._is_looking = False
        self._look_not_before_ns = 0
        self._pause: Final = GrowingPause(shortest_ns=PAUSE_NS_MIN, longest_ns=PAUSE_NS_MAX)
        self._risk_pause: Final = GrowingPause(shortest_ns=END_AGAIN_NS, longest_ns=END_AGAIN_NS_MAX)

    def begin(self, now: Moment) -> Sequence[Effect]:
        """Listen, and give everybody the time to be heard."""
        self._began_ns = now.boot_ns
        self._executor.begin(now)
        self._risk.begin(now)
        return (Listen(EXECUTOR, "health"), Listen(RISK, "health"), Listen(RISK, "risk"))

    def stood_still(self, now: Moment) -> None:
        """Count all silence anew: while we stood still nobody could be heard."""
        self._executor.stood_still(now)
        self._risk.stood_still(now)
        self._latched_since_ns = now.boot_ns

    @property
    def is_again(self) -> bool:
        """Whether nothing could be sold the last time, and nothing is known to have changed since."""
        return not self._pause.has_helped

    def given_back(self, now: Moment, *, has_got_on: bool) -> None:
        """Give the executor the time to begin: its role is free from now on. Where nothing helped, that is longer."""
        self._executor.begin(now)
        self._latched_since_ns = now.boot_ns
        if has_got_on:
            self.pause_no_longer()
        else:
            self._pause.attempted(now.boot_ns)

    def pause_no_longer(self) -> None:
        """Go on at once: something has changed."""
        self._pause.helped()
        self._look_not_before_ns = 0

    def heard(self, instance: str, envelope: Envelope, now: Moment) -> None:
        """Take in what one of them says."""
        if isinstance(envelope.body, RiskSnapshot):
            self._risk_told(envelope.body, now)
        elif instance == EXECUTOR:
            if self._executor.heard(envelope, now) and self.is_again:
                self.pause_no_longer()  # it has tried since
        else:
            self._risk.heard(envelope, now)

    def halt_seen(self, latch: Latch | None, now: Moment) -> None:
        """Take in what the HALT file stands for."""
        self._file = latch
        self._latch_told(now)

    def due(self, now: Moment) -> Sequence[Effect]:
        """Return what a silence leads to."""
        return (*self._end_risk(now), *self._look(now))

    def halts(self) -> Sequence[HaltSeen]:
        """Return what lets an engine know of the latch, also where only risk has said that it stands."""
        only_told = [] if self._file is not None or self._told_by_risk is None else [HaltSeen(self._told_by_risk)]
        return (*only_told, HaltSeen(self._file))

    def looked(self, found: Found | None, now: Moment) -> Need | None:
        """Take in what stands in the executor's journal, and say whether the role is needed; None is: it is unread."""
        self._is_looking = False
        if found is None:
            return None
        self._known, sight = found, self._sight(now)
        if (needed := need(sight, found)) is None and found.uncovered:
            # Its newest record may be a little younger than its last word: what is bare waits no longer for that.
            left_ns = UNCOVERED_NS - min(found.quiet_ns, sight.watched_ns)
            again_ns = now.boot_ns + max(left_ns, LOOK_AGAIN_NS)
            self._look_not_before_ns = min(self._look_not_before_ns, again_ns)
        return needed

    def _risk_told(self, snapshot: RiskSnapshot, now: Moment) -> None:
        name = snapshot.latch_id
        if name is None:
            self._told_by_risk = None
        elif self._told_by_risk is None or self._told_by_risk.latch_id != name:
            self._told_by_risk = Latch(name, RISK, "the kill latch stands in risk's journal", now.wall_ns)
        self._latch_told(now)

    def _latch_told(self, now: Moment) -> None:
        latch, before = self._file or self._told_by_risk, self.latch
        self.latch = latch
        if latch is not None and (before is None or before.latch_id != latch.latch_id):
            self._latched_since_ns, self._known = now.boot_ns, Found()
            self.pause_no_longer()

    def _look(self, now: Moment) -> Sequence[Effect]:
        if self._is_looking or now.boot_ns < self._look_not_before_ns or not self._pause.is_over(now.boot_ns):
            return ()
        if not worth_a_look(self._sight(now), self._known):
            return ()
        is_urgent = self.latch is not None and not self._known.is_done
        self._look_not_before_ns = now.boot_ns + (LOOK_AGAIN_NS if is_urgent else LOOK_RARELY_NS)
        self._is_looking = True
        return (ReadRecords(),)

    def _end_risk(self, now: Moment) -> Sequence[Effect]:
        """End a risk that has fallen silent; again once another was heard, or after a growing while."""
        risk = self._risk
        if risk.state == "draining" or risk.silent_ns(now) < self._risk_patience_ns():
            self._risk_pause.helped()
            return ()
        if not self._risk_pause.is_over(now.boot_ns):
            return ()
        self._risk_pause.attempted(now.boot_ns)
        seconds = risk.silent_ns(now) // SECOND_NS
        return (Note("critical", "risk is silent, and is to be ended", {"seconds": seconds}), Retire(RISK, risk.epoch))

    def _risk_patience_ns(self) -> int:
        if not self._risk.was_heard:
            return UNHEARD_NS
        return RISK_SILENT_NS + (BOOT_NS if self._risk.state == "booting" else 0)

    def _sight(self, now: Moment) -> Sight:
        return Sight(
            watched_ns=now.boot_ns - self._began_ns,
            latch=self.latch,
            latched_ns=now.boot_ns - self._latched_since_ns,
            state=self._executor.state,
            silent_ns=self._executor.silent_ns(now),
            stepless_ns=self._executor.stepless_ns(now),
        )
