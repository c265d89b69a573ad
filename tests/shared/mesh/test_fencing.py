"""Fencing: the holder dies, nobody else does, and there is one winner. Real processes, real signals."""

from pathlib import Path

import pytest

from shared.core.booting import BOOT_NS
from shared.mesh.clock import SystemClock, VirtualClock
from shared.mesh.fencing import Fence, FenceRefusal, FenceRefused, Retired, fence, retire
from shared.mesh.private_directory import FileUnusableError, PrivateDirectory
from shared.mesh.process_identity import own_identity
from shared.mesh.role_lock import LockHolder, RoleLock
from shared.mesh.seat import Post, Standby, take_seat
from tests.shared.mesh.crew import Crew

ROUNDS = 15


def a_post(directory: Path, *, role: str = "executor") -> Post:
    """Return a post in this directory."""
    return Post(role, PrivateDirectory(directory), SystemClock())


def fenced(post: Post) -> Fence:
    """Fence a role that can be."""
    result = fence(post, by="flattener")
    assert isinstance(result, Fence), result.words
    return result


@pytest.mark.parametrize("frozen", [False, True])
def test_the_holder_is_killed_and_only_it(crew: Crew, tmp_path: Path, *, frozen: bool) -> None:
    """A fenced holder dies, running or stopped by SIGSTOP; one that stands by and one of another role live on."""
    holder = crew.start("hold", tmp_path / "run")
    holder.hear()
    waiting = crew.start("hold", tmp_path / "run")
    waiting.hear()
    other = crew.start("impostor", tmp_path / "run", file="risk.lock")
    other.hear()
    if frozen:
        holder.freeze()
    over = fenced(a_post(tmp_path / "run"))
    assert holder.is_dead()
    assert over.seat.epoch == 2
    assert not waiting.is_dead()
    assert other.ask("still there?") == {"alive": "still there?"}


def test_nobody_comes_in_until_it_is_handed_back(crew: Crew, tmp_path: Path) -> None:
    """While the role is fenced its next instance stands by and says who is at the gate; then it has a higher epoch."""
    post = a_post(tmp_path / "run")
    over = fenced(post)
    waiting = crew.start("hold", tmp_path / "run")
    assert "is held by flattener" in waiting.hear()["standby"]
    assert isinstance(take_seat(post), Standby)
    over.hand_back()
    assert waiting.await_seat()["epoch"] == over.seat.epoch + 1 == 2


def test_fencing_counts_as_one_death_and_no_restart(crew: Crew, tmp_path: Path) -> None:
    """After being fenced three times the role is in a crash loop; the fencer's stays are no starts and no deaths."""
    told = []
    for _ in range(4):
        holder = crew.start("hold", tmp_path / "run")
        told.append(holder.hear())
        fenced(a_post(tmp_path / "run")).hand_back()
    assert [(start["restarts"], start["crash_loop"]) for start in told] == [
        (0, False),
        (1, False),
        (2, False),
        (3, True),
    ]


def test_a_dead_fencer_fences_nobody(crew: Crew, tmp_path: Path) -> None:
    """When the fencer itself is killed, gate and lock are free, and the role goes on under a higher epoch."""
    fencer = crew.start("fencer", tmp_path / "run")
    fencer.hear()
    assert fencer.ask("fence")["epoch"] == 1
    waiting = crew.start("hold", tmp_path / "run")
    waiting.hear()
    fencer.kill()
    assert waiting.await_seat()["epoch"] == 2


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ({"process": {"start_ticks": 1}}, FenceRefusal.HOLDER_GONE),
        ({"holder": {"role": "flattener"}}, FenceRefusal.OTHER_ROLE),
        ({"holder": {"role": "risk"}}, FenceRefusal.OTHER_ROLE),
        ({"process": {"boot_id": "another"}}, FenceRefusal.OTHER_BOOT),
        ({"process": {"pid_namespace": "pid:[1]"}}, FenceRefusal.OTHER_NAMESPACE),
        ({"signed": False}, FenceRefusal.NOTE_UNREADABLE),
    ],
)
@pytest.mark.parametrize("file", ["executor.lock", "executor.gate"])
def test_whoever_is_not_surely_the_holder_is_not_killed(
    file: str, order: dict[str, object], reason: FenceRefusal, crew: Crew, tmp_path: Path
) -> None:
    """A note with the number of a living process but another start, role, boot or container kills nobody."""
    stranger = crew.start("impostor", tmp_path / "run", file=file, **order)
    stranger.hear()
    result = fence(a_post(tmp_path / "run"), by="flattener", wait=lambda _: False)
    assert isinstance(result, FenceRefused)
    gate_taken = reason is FenceRefusal.OTHER_ROLE and file == "executor.gate"
    assert result.reason is (FenceRefusal.GATE_HELD if gate_taken else reason)
    assert (result.file, file in result.words) == (file, True)
    assert stranger.ask("still there?") == {"alive": "still there?"}
    # Nothing is left held by the refused fencer.
    assert RoleLock.try_take(a_post(tmp_path / "run").directory, _other(file)) is not None


def _other(file: str) -> str:
    return "executor.gate" if file.endswith("lock") else "executor.lock"


def test_the_kernel_knows_better_than_the_note(crew: Crew, tmp_path: Path) -> None:
    """A note that names a living process of the right role, which is not the one that locked the file, kills nobody."""
    named = crew.start("hold", tmp_path / "elsewhere")
    named.hear()
    note = (tmp_path / "elsewhere" / "executor.lock").read_bytes()
    holder = crew.start("impostor", tmp_path / "run", file="executor.lock", signed=False)
    holder.hear()
    (tmp_path / "run" / "executor.lock").write_bytes(note)
    result = fence(a_post(tmp_path / "run"), by="flattener")
    assert isinstance(result, FenceRefused)
    assert result.reason is FenceRefusal.KERNEL_DISAGREES
    assert named.ask("intact") == {"intact": True}


def test_nobody_fences_himself(tmp_path: Path) -> None:
    """A note that names the fencer's own process is refused; asking to fence one's own role is a bug."""
    post = a_post(tmp_path / "run")
    lock = RoleLock.try_take(post.directory, post.lock)
    assert lock is not None
    lock.write_note(holder=LockHolder("executor", own_identity(boot_id=post.clock.boot_id), 0), epoch=0)
    result = fence(post, by="flattener")
    assert isinstance(result, FenceRefused)
    assert result.reason is FenceRefusal.OWN_PROCESS
    with pytest.raises(ValueError, match="cannot fence itself"):
        fence(post, by="executor")


def test_a_lock_kept_by_a_hidden_child_is_told(crew: Crew, tmp_path: Path) -> None:
    """A fork that none of our hooks saw keeps the lock of its killed parent: the fencer says so and takes nothing."""
    holder = crew.start("hold", tmp_path / "run")
    holder.hear()
    child = holder.ask("fork unseen")["child"]
    result = fence(a_post(tmp_path / "run"), by="flattener")
    assert isinstance(result, FenceRefused)
    assert result.reason is FenceRefusal.LOCK_STILL_HELD
    again = fence(a_post(tmp_path / "run"), by="flattener")
    assert isinstance(again, FenceRefused)
    assert again.reason is FenceRefusal.HOLDER_GONE
    crew.reap(child)
    assert fenced(a_post(tmp_path / "run")).seat.epoch == 2


def test_an_instance_frozen_in_the_gate_is_waited_for_and_then_killed(crew: Crew, tmp_path: Path) -> None:
    """A booting instance gets the time the fencer allows; one that does not leave the gate by then counts as frozen."""
    booting = crew.start("impostor", tmp_path / "run", file="executor.gate")
    booting.hear()
    asked: list[str] = []

    def wait(standby: Standby) -> bool:
        asked.append(standby.words)
        return len(asked) < 3

    result = fence(a_post(tmp_path / "run"), by="flattener", wait=wait)
    assert isinstance(result, Fence)
    assert asked == [f"executor.gate is held by executor, process {booting.process_id}"] * 3
    assert booting.is_dead()


def test_an_instance_that_leaves_the_gate_in_time_is_not_killed_there(crew: Crew, tmp_path: Path) -> None:
    """The gate that becomes free while the fencer waits is simply taken."""
    booting = crew.start("impostor", tmp_path / "run", file="executor.gate")
    booting.hear()

    def wait(_: Standby) -> bool:
        booting.kill()
        return True

    assert isinstance(fence(a_post(tmp_path / "run"), by="flattener", wait=wait), Fence)


def test_of_two_fencers_one_wins(crew: Crew, tmp_path: Path) -> None:
    """Fencers that begin at once over one holder: one has the role, the others a reason, every time; epochs grow."""
    fencers = [crew.start("fencer", tmp_path / "run", by=name) for name in ("flattener", "operator", "risk")]
    assert all(fencer.hear() == {"ready": True} for fencer in fencers)
    epoch = 0
    for _ in range(ROUNDS):
        holder = crew.start("hold", tmp_path / "run")
        holder.hear()
        for fencer in fencers:
            fencer.say("fence")
        results = [fencer.hear() for fencer in fencers]
        winners = [fencer for fencer, result in zip(fencers, results, strict=True) if "epoch" in result]
        assert len(winners) == 1, results
        won = max(result.get("epoch", 0) for result in results)
        assert won > epoch
        epoch = won
        assert holder.is_dead()
        assert winners[0].ask("hand back") == {"handed_back": True}
        crew.dismiss([holder])


def test_retiring_kills_and_leaves_the_seat(crew: Crew, tmp_path: Path) -> None:
    """A watcher kills a silent holder and takes nothing: the role's next instance has the seat at once."""
    holder = crew.start("hold", tmp_path / "run")
    holder.hear()
    holder.freeze()
    assert crew.start("retirer", tmp_path / "run").hear() == {"retired": True}
    assert holder.is_dead()
    assert crew.start("hold", tmp_path / "run").await_seat()["epoch"] == 2


def test_retiring_spares_a_successor_that_starts(crew: Crew, tmp_path: Path) -> None:
    """Whoever came after the one that fell silent has fifteen seconds from taking the role on; then it is killed."""
    crew.start("hold", tmp_path / "run").await_seat()
    crew.dismiss()
    holder = crew.start("hold", tmp_path / "run")
    assert holder.await_seat()["epoch"] == 2
    system = SystemClock()
    clock = VirtualClock(boot_ns=system.boot_ns(), wall_ns=system.wall_ns(), boot_id=system.boot_id)
    post = Post("executor", PrivateDirectory(tmp_path / "run"), clock)
    result = retire(post, by="risk", silent_epoch=1)
    assert isinstance(result, FenceRefused)
    assert result.reason is FenceRefusal.SUCCESSOR_STARTS
    assert not holder.is_dead()
    clock.advance(BOOT_NS)
    result = retire(post, by="risk", silent_epoch=1)
    assert isinstance(result, Retired)
    assert result.process is not None
    assert result.process.process_id == holder.process_id
    assert holder.is_dead()


def test_retiring_nobody_is_told(tmp_path: Path) -> None:
    """Where nobody holds the role nobody is killed, and the watcher learns that."""
    result = retire(a_post(tmp_path / "run"), by="risk", silent_epoch=1)
    assert not isinstance(result, FenceRefused)
    assert result.process is None


def test_a_watcher_does_not_retire_a_fencer(crew: Crew, tmp_path: Path) -> None:
    """While the flattener acts for the executor, whoever would kill the executor is refused at the gate."""
    fencer = crew.start("fencer", tmp_path / "run")
    fencer.hear()
    fencer.ask("fence")
    result = retire(a_post(tmp_path / "run"), by="risk", silent_epoch=1)
    assert isinstance(result, FenceRefused)
    assert result.reason is FenceRefusal.GATE_HELD
    assert fencer.ask("hand back") == {"handed_back": True}


def test_an_epoch_that_cannot_be_kept_is_no_fence(crew: Crew, tmp_path: Path) -> None:
    """The holder is dead by then, but the fencer that cannot write its epoch holds nothing and says why."""
    holder = crew.start("hold", tmp_path / "run")
    holder.hear()
    (tmp_path / "run" / "executor.epoch").unlink()
    (tmp_path / "run" / "executor.epoch.new").mkdir()
    with pytest.raises(FileUnusableError, match=r"executor\.epoch cannot be read or written"):
        fence(a_post(tmp_path / "run"), by="flattener")
    assert holder.is_dead()
    (tmp_path / "run" / "executor.epoch.new").rmdir()
    assert crew.start("hold", tmp_path / "run").await_seat()["epoch"] == 3
