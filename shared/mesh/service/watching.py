"""Tasks that nobody waits for: an error in one must end the process, not leave it running without that part."""

import asyncio
from collections.abc import Coroutine


def watched(work: Coroutine[object, object, None]) -> asyncio.Task[None]:
    """Do something beside everything else; what it raises goes to the loop's exception handler."""
    task = asyncio.get_running_loop().create_task(work)
    task.add_done_callback(_look_at)
    return task


def _look_at(task: asyncio.Task[None]) -> None:
    if task.cancelled():
        return
    error = task.exception()
    if error is not None:
        task.get_loop().call_exception_handler({"message": "a task failed", "exception": error, "task": task})
