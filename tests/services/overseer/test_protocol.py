"""What supervisord's lines mean; the samples are those of its documentation."""

import pytest

from services.overseer.core import ProgramChanged
from services.overseer.protocol import NotSupervisorError, body_length, change_in, fields_of

HEADER = "ver:3.0 server:supervisor serial:21 pool:listener poolserial:10 eventname:PROCESS_STATE_EXITED len:71\n"


def test_exit_is_read() -> None:
    """An exit says which program and process, and whether the code was 0."""
    header = fields_of(HEADER)
    assert body_length(header) == 71
    change = change_in(header, "processname:cat groupname:cat from_state:RUNNING expected:0 pid:2766")
    assert change == ProgramChanged("cat", "EXITED", "RUNNING", 2766, expected=False)


def test_state_without_a_process_is_read() -> None:
    """A program given up has no process."""
    header = {"eventname": "PROCESS_STATE_FATAL"}
    change = change_in(header, "processname:cat groupname:cat from_state:BACKOFF")
    assert change == ProgramChanged("cat", "FATAL", "BACKOFF", None, expected=False)


def test_other_events_mean_nothing() -> None:
    """An event we did not ask for is answered and forgotten."""
    assert change_in({"eventname": "TICK_60"}, "when:1201063880") is None


@pytest.mark.parametrize("line", ["", "\n", "hello supervisor"])
def test_lines_of_others_are_refused(line: str) -> None:
    """Started by hand, the program says that supervisord starts it."""
    with pytest.raises(NotSupervisorError):
        fields_of(line)


@pytest.mark.parametrize("header", [{}, {"len": "-1"}, {"len": "65537"}])
def test_header_without_an_honest_length_is_refused(header: dict[str, str]) -> None:
    """Nothing can be read on after a header that does not say how much, or says far too much."""
    with pytest.raises(NotSupervisorError):
        body_length(header)
