"""What every verb does with what a person has to put right."""

import io

from shared.mesh.verb import FAILED, Streams, run_verb


def test_what_others_said_steers_no_terminal() -> None:
    """Whatever is said or complained about is a line for each that is given, without what a terminal would obey."""
    streams = Streams(io.StringIO(), io.StringIO())
    for way in (streams.say, streams.complain):
        way("as \x1b[2J it is", "a second\rline")
    assert isinstance(streams.output, io.StringIO)
    assert streams.output.getvalue() == "as \N{REPLACEMENT CHARACTER}[2J it is\na second\N{REPLACEMENT CHARACTER}line\n"
    assert isinstance(streams.errors, io.StringIO)
    assert streams.errors.getvalue() == streams.output.getvalue()


def test_a_file_of_somebody_else_is_named_in_one_line() -> None:
    """Whoever asks without a right to the mesh's files is told which, and gets no traceback."""
    errors = io.StringIO()

    def verb() -> int:
        raise PermissionError(13, "Permission denied", "/srv/bowline/var/seats")

    assert run_verb("status", Streams(io.StringIO(), errors), verb) == FAILED
    assert errors.getvalue() == ("bowline status: [Errno 13] Permission denied: '/srv/bowline/var/seats'\n")
