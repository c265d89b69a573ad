"""The mesh as the verbs see it: its configuration, its directories, its programs, and its supervisord if one runs."""

import select
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Self

from shared.mesh.clock import Clock, SystemClock
from shared.mesh.private_directory import PrivateDirectory
from shared.mesh.program_file import (
    ProgramFile,
    ProgramFileError,
    read_program_file,
    unreadable_program_file,
)
from shared.mesh.seat import Post
from shared.mesh.settings import Configuration, hides_the_place, load_configuration, load_whereabouts
from shared.mesh.supervisor import SOCKET_NAME, Supervisor
from shared.mesh.verb import NotDoneError

PAUSE_MS: Final = 100
_NS_PER_S: Final = 1_000_000_000


class Mesh:
    """What every verb looks at. Makes no directory but those it is asked for."""

    def __init__(
        self,
        configuration: Configuration,
        programs: ProgramFile,
        *,
        environment: Mapping[str, str],
        doubts: Sequence[str] = (),
    ) -> None:
        self.root: Final = configuration.root
        self.configuration: Final = configuration
        self.programs: Final = programs
        self.environment: Final = environment
        self.doubts: Final = tuple(doubts)  # what is wrong with the settings or with the file, a line each
        self.clock: Final[Clock] = SystemClock()

    @classmethod
    def of(cls, root: Path, environment: Mapping[str, str]) -> Self:
        """Return the mesh of a project whose settings and program file are as they should be, or say what is not."""
        configuration = load_configuration(root=root.absolute(), environment=environment)
        return cls(configuration, read_program_file(root.absolute()), environment=environment)

    @classmethod
    def as_far_as_known(cls, root: Path, environment: Mapping[str, str]) -> Self:
        """Return the mesh of a project for whoever looks at it or ends it, whatever is wrong with its files."""
        configuration, problems = load_whereabouts(root=root.absolute(), environment=environment)
        doubts = [str(problem) for problem in problems]
        if hides_the_place(configuration, problems):
            var = configuration.var_directory
            doubts.append(
                f"the settings may have said another place, so this is of {var}, and the mesh may be elsewhere"
            )
        try:
            programs = read_program_file(root.absolute())
        except ProgramFileError as error:
            programs = unreadable_program_file(root.absolute())
            doubts.append(str(error))
        return cls(configuration, programs, environment=environment, doubts=doubts)

    @property
    def supervisor_socket(self) -> Path:
        """Where supervisord listens."""
        return self.configuration.run_directory / SOCKET_NAME

    def supervisor(self) -> Supervisor:
        """Return a connection to supervisord, whether it runs or not."""
        return Supervisor(self.supervisor_socket)

    def seats(self) -> PrivateDirectory:
        """Return the directory of the seats."""
        return PrivateDirectory(self.configuration.seats_directory)

    def post(self, instance: str, seats: PrivateDirectory) -> Post:
        """Return the post of an instance."""
        return Post(instance, seats, self.clock)

    def log(self, instance: str) -> Path:
        """Return where an instance's log is."""
        return self.configuration.logs_directory / f"{instance}.log"

    def refuse_unknown(self, instances: Sequence[str]) -> None:
        """Refuse names that stand for no program."""
        for instance in instances:
            if instance not in self.programs.stop_wait_s:
                known = ", ".join(self.programs.stop_wait_s)
                raise NotDoneError(f"{self.programs.path} has no program {instance!r}; there are {known}")

    def wait_until(self, holds: Callable[[], bool], *, within_s: float) -> bool:
        """Look until something holds, at most for this long, and tell whether it came to that."""
        deadline_ns = self.clock.boot_ns() + int(within_s * _NS_PER_S)
        while not holds():
            if self.clock.boot_ns() >= deadline_ns:
                return False
            select.poll().poll(PAUSE_MS)
        return True
