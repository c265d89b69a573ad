"""What another wrote in a service's name reaches its core after its own past and before its first word."""

import shutil
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from proto.codec import EnvelopeCodec
from proto.fencing import RoleReturned, RoleTaken
from services.executor.__main__ import plan_of
from shared.core.service import InheritanceUnread, Inherited, InheritedState, Recorded, Report, Restored, Started
from shared.execution.adopting import AdoptingCore
from shared.mesh.bus.sender import Sender
from shared.mesh.clock import VirtualClock
from shared.mesh.journal import RealDisk, create_journal, journal_directory
from shared.mesh.service import Inherits
from shared.mesh.service.adoption import inheritance
from shared.mesh.service.diary import Diary, open_diary
from shared.mesh.settings import Configuration
from tests.shared.mesh.journal.journals import DAY, an_opening
from tests.shared.mesh.journal.sim_disk import SimDisk
from tests.shared.mesh.service.conftest import Stage
from tests.shared.mesh.service.running import Project
from tests.shared.mesh.service.test_journaled import filled
from tests.shared.mesh.settings.projects import a_configuration

Eventually = Callable[[Callable[[], object]], Awaitable[None]]

NOON_NS = 1_800_014_400_000_000_000
DAY_NS = 86_400_000_000_000
CODEC = EnvelopeCodec()
WORDS = (RoleTaken("executor", 4, "it is silent"), RoleReturned("executor", 4, "it is flat"))


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    """Return the configuration of an empty project."""
    return a_configuration(tmp_path)


@pytest.fixture
def diary(configuration: Configuration) -> Iterator[Diary]:
    """Return the flattener's journal, which has two segments and is open for writing."""
    diary = open_diary(configuration, "flattener", codec=CODEC, wall_ns=NOON_NS, empty_state=b"first")
    sender = Sender(instance="flattener", epoch=2, clock=VirtualClock(boot_ns=1))
    for word in WORDS:
        diary.record([Report(word)], sender)
        assert diary.turn_page(wall_ns=NOON_NS + DAY_NS, state=partial(bytes, b"later")) is None
    yield diary
    diary.close()


def handed_in(
    configuration: Configuration, has_adopted: Callable[[bytes], bool] = lambda _: False
) -> list[InheritedState | Inherited | InheritanceUnread]:
    """Return what a shell hands its core of the flattener's journal."""
    inherits = Inherits(instance="flattener", has_adopted=has_adopted)
    return list(inheritance(configuration, inherits, codec=CODEC))


@pytest.mark.usefixtures("diary")
def test_all_segments_are_handed_in(configuration: Configuration) -> None:
    """What is not adopted yet may lie before the newest segment, and its owner lives and goes on writing."""
    state, *found = handed_in(configuration)
    assert state == InheritedState("flattener", b"first")
    assert tuple(one.envelope.body for one in found if isinstance(one, Inherited)) == WORDS


@pytest.mark.usefixtures("diary")
def test_what_is_adopted_is_not_read_again(configuration: Configuration) -> None:
    """The core is asked of the newest page first, and what stands before the one that it names is left alone."""
    state, *found = handed_in(configuration, lambda state: state == b"later")
    assert state == InheritedState("flattener", b"later")
    assert tuple(one.envelope.body for one in found if isinstance(one, Inherited)) == WORDS[1:]


def test_nothing_was_written_by_one_who_never_was(configuration: Configuration) -> None:
    """Without a journal there is nothing to be adopted, and nothing wrong."""
    assert handed_in(configuration) == []


@pytest.mark.usefixtures("diary")
def test_damage_is_handed_in_as_such(configuration: Configuration) -> None:
    """The core learns that it does not know everything, and the service starts all the same."""
    segment = min(journal_directory(configuration.var_directory, "flattener").glob("*.journal"))
    content = bytearray(segment.read_bytes())
    content[-1] ^= 1
    segment.write_bytes(content)
    assert [type(one) for one in handed_in(configuration)] == [InheritedState, InheritanceUnread]


def test_a_record_that_nobody_can_read_is_handed_in_as_such(configuration: Configuration) -> None:
    """A journal whose bytes are right and whose words are of another day."""
    disk = RealDisk(journal_directory(configuration.var_directory, "flattener"))
    disk.establish()
    journal = create_journal(an_opening(disk), date=DAY, state=b"")
    journal.append(b"no message")
    journal.commit()
    journal.close()
    assert [type(one) for one in handed_in(configuration)] == [InheritedState, InheritanceUnread]


async def test_it_comes_between_the_past_and_the_first_word(stage: Stage, eventually: Eventually) -> None:
    """A core knows its own past when it is handed another's, and both when it begins."""
    unread = InheritanceUnread("flattener", "damaged")
    actor = stage.service(instance="executor", disk=SimDisk(), inheritance=[unread])
    await eventually(lambda: actor.core.of(Started))
    assert [type(one) for one in actor.core.seen[:3]] == [Restored, InheritanceUnread, Started]
    assert not actor.core.of(Recorded)


def test_a_process_reads_the_journal_of_whoever_may_act_for_it(project: Project) -> None:
    """With real files, from the settings' own folder: each record once, in order, by who wrote it."""
    filled(project, 2).stop()
    shutil.copytree(project.journal, project.journal.with_name("flattener"))
    folded = project.start("executor", "heir").says("folded")
    assert folded["state"] == {"request-1": 1, "request-2": 2}
    assert folded["inherited"] == ["executor-1-reports-1", "executor-1-reports-2"]


def test_the_executor_adopts_what_the_flattener_wrote(configuration: Configuration) -> None:
    """The one process that is handed another's journal is the one that takes it over."""
    plan = plan_of(configuration)
    assert isinstance(plan.core, AdoptingCore)
    assert plan.inherits == Inherits(instance="flattener", has_adopted=plan.core.has_adopted)
