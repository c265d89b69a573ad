"""Sees to it that a crash writes no secret anywhere: a process holds keys, and a core dump holds the process.

Called once, before a process reads its first secret. Making the process undumpable (PR_SET_DUMPABLE) would say it all
at once, but hides /proc/<pid>/fdinfo from the user who owns it, and with it who stands by for whom (orphans.py).
"""

import resource
from contextlib import suppress
from pathlib import Path
from typing import Final

COREDUMP_FILTER: Final = Path("/proc/self/coredump_filter")
# Where dumps go to a program, as to systemd-coredump, the kernel asks no limit, not even 0; only 1 says: no dump at
# all (fs/coredump.c). A dump that goes to a file is none either, since not even its head has room.
NO_DUMP: Final = 1


def refuse_core_dumps() -> None:
    """Have no core dumped, and none that held memory if one were."""
    _, limit_max = resource.getrlimit(resource.RLIMIT_CORE)
    if limit_max != 0:  # with 0, set by whoever started us, no limit can be chosen any more
        resource.setrlimit(resource.RLIMIT_CORE, (NO_DUMP, NO_DUMP))
    with suppress(OSError):  # where it is not there, or not ours to write, the limit has to do
        COREDUMP_FILTER.write_text("0", encoding="ascii")
