"""What every verb does with what a person has to put right."""

import io

from shared.mesh.verb import FAILED, Streams, run_verb


def test_a_file_of_somebody_else_is_named_in_one_line() -> None:
    """Whoever asks without a right to the mesh's files is told which, and gets no traceback."""
    errors = io.StringIO()

    def verb() -> int:
        raise PermissionError(13, "Permission denied", "/srv/bowline/var/seats")

    assert run_verb("status", Streams(io.StringIO(), errors), verb) == FAILED
    assert errors.getvalue() == ("bowline status: [Errno 13] Permission denied: '/srv/bowline/var/seats'\n")
