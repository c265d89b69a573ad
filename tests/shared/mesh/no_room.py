"""A disk without room, for one process."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def files_may_not_grow() -> Iterator[None]:
    """Let no byte be written to any file, as on a disk that is full."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
