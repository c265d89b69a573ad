"""Where a strategy's process writes down what it knows: one sealed file, replaced as a whole.

To lose it costs time and no truth: then all of the executor's reports are read again.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from services.strategy.core.vocabulary import Kept, NotRemembered, Remember, Remembered
from shared.core.service import FromOutside, Outward
from shared.mesh.private_directory import FileUnusableError, PrivateDirectory
from shared.mesh.sealed_record import Damaged, seal, unseal

KIND: Final = "bowline-strategy-1"
BYTES_MAX: Final = 1_024 * 1_024  # fifty symbols, each with a thousand fills that wait for a bar, take half of it


class Shelf:
    """The hands of the process: they read once, and then write what they are handed."""

    def __init__(self, directory: Path, instance: str) -> None:
        self._path: Final = directory
        self._name: Final = f"{instance}.kept"

    def open(self, bring: Callable[[FromOutside], None]) -> None:
        """Bring what was written down last."""
        self._bring: Callable[[FromOutside], None] = bring
        self._directory: PrivateDirectory = PrivateDirectory(self._path)
        content = self._directory.read_file(self._name, bytes_max=BYTES_MAX)
        found = None if content is None else unseal(KIND, content, Kept, bytes_max=BYTES_MAX)
        if isinstance(found, Damaged):
            bring(Remembered(None, f"{self._path / self._name} {found.reason}"))
        else:
            bring(Remembered(found, ""))

    def perform(self, effect: Outward) -> None:
        """Write down what is known."""
        assert isinstance(effect, Remember), f"{effect} is nothing to write down"
        try:
            self._directory.replace_file(self._name, seal(KIND, effect.kept))
        except FileUnusableError as error:
            self._bring(NotRemembered(str(error)))

    def close(self) -> None:
        """Write no more."""
        self._directory.close()
