"""`bowline watch` on a real pseudo-terminal, asking a real service."""

import os
import shlex
import signal
import sys
from decimal import Decimal

import pytest

from tests.services.watch.conftest import HEIGHT, WIDTH, WatchedProject
from tests.services.watch.terminal import PATIENCE_S, Display, Terminal

RED = "\x1b[1;31m"


def _restored(terminal: Terminal) -> bool:
    display = terminal.display
    shown = (display.alternate, display.cursor_shown, display.wrapping) == (False, True, True)
    return shown and terminal.attributes == terminal.attributes_before


def _bid(display: Display) -> int:
    """Return the rising price, or 0."""
    row = next((line for line in display.text.splitlines() if line.startswith("BTC/USDT")), "")
    return int(Decimal(row.split()[2].replace(",", ""))) if row else 0


def test_it_draws_in_place_until_q(project: WatchedProject) -> None:
    """Prices go up where they stand, only what changed is written, and q gives the terminal back as it was."""
    project.start()
    with project.terminal() as terminal:
        terminal.until(lambda display: _bid(display) > 10_000 and "journal in risk" in display.text)
        assert terminal.display.alternate
        assert not terminal.display.cursor_shown
        assert "all well" in terminal.display.text
        assert terminal.display.height == HEIGHT
        before = _bid(terminal.display)
        terminal.display.written.clear()
        terminal.until(lambda display: _bid(display) > before + 1)
        header, symbols = 1, {5, 6}
        assert set(terminal.display.written) <= {header} | symbols
        terminal.press("x")
        terminal.press("q")
        assert terminal.ends() == 0
        assert _restored(terminal)


def test_it_follows_the_size_of_the_terminal(project: WatchedProject) -> None:
    """A terminal that becomes smaller gets a picture of its size, which says what does not fit."""
    project.start("troubled")
    with project.terminal() as terminal:
        terminal.until(lambda display: "SOL/USDT" in display.text and display.height == HEIGHT)
        terminal.resize(60, 12)
        terminal.until(lambda display: display.height == 12 and "q quits" in display.text)
        assert all(len(line) <= 60 for line in terminal.display.text.splitlines())
        assert "do not fit" in terminal.display.text
        terminal.resize(WIDTH, HEIGHT)
        terminal.until(lambda display: "journal in risk" in display.text)
        terminal.press("q")
        assert terminal.ends() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_in_order(project: WatchedProject, number: signal.Signals) -> None:
    """Whoever ends it with a signal finds the terminal restored, and code 0; Ctrl-C is one of them."""
    with project.terminal() as terminal:
        terminal.until(lambda display: "q quits" in display.text)
        if number is signal.SIGINT:
            terminal.press("\x03")
        else:
            terminal.process.send_signal(number)
        assert terminal.ends() == 0
        assert _restored(terminal)


def test_a_terminal_that_goes_away_ends_it(project: WatchedProject) -> None:
    """It neither lingers nor complains when nobody can see it any more."""
    with project.terminal() as terminal:
        terminal.until(lambda display: "q quits" in display.text)
        terminal.hang_up()
        assert terminal.process.wait(PATIENCE_S) == 0


def test_ctrl_z_gives_the_terminal_to_the_shell_and_fg_takes_it_back(project: WatchedProject) -> None:
    """Under a shell with jobs it stops with the terminal restored, goes on where it was, and quits."""
    project.start()
    shell = ["bash", "--norc", "--noprofile", "--noediting", "-i"]
    with Terminal(shell, {"PS1": "> "}, width=WIDTH, height=HEIGHT) as terminal:
        terminal.press(f"{shlex.join(project.command())}\n")
        terminal.until(lambda display: _bid(display) > 10_000)
        in_use = terminal.attributes
        terminal.press("\x1a")
        terminal.until(lambda display: "Stopped" in display.text and not display.alternate)
        assert terminal.attributes == terminal.attributes_before != in_use
        terminal.press("fg\n")
        terminal.until(lambda display: display.alternate and _bid(display) > 10_000)
        assert terminal.attributes == in_use
        terminal.press("qecho the code is $?.\n")
        terminal.until(lambda display: "the code is 0." in display.text)
        assert terminal.attributes == terminal.attributes_before


def test_who_stopped_it_unasked_may_have_used_the_terminal(project: WatchedProject) -> None:
    """Stopped from outside and let go on, it takes the terminal back and draws everything anew."""
    with project.terminal() as terminal:
        terminal.until(lambda display: "q quits" in display.text)
        in_use = terminal.attributes
        terminal.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED)
        terminal.attributes = terminal.attributes_before
        terminal.display.written.clear()
        terminal.process.send_signal(signal.SIGCONT)
        terminal.until(lambda display: HEIGHT in display.written)
        assert terminal.attributes == in_use
        terminal.press("q")
        assert terminal.ends() == 0
        assert _restored(terminal)


def test_killed_metrics_is_said_and_comes_back_by_itself(project: WatchedProject) -> None:
    """While nobody answers it says so with the remedy and shows what was; the next metrics is heard, in its epoch."""
    with project.terminal() as terminal:
        terminal.until(lambda display: "no answer" in display.text)
        assert "`bowline up`" in terminal.display.text
        metrics = project.start()
        terminal.until(lambda display: _bid(display) // 10_000 == 1)
        assert "no answer" not in terminal.display.text
        project.kill(metrics)
        terminal.until(lambda display: "no answer" in display.text and "below is how it was" in display.text)
        assert "metrics does not answer" in terminal.display.text
        assert _bid(terminal.display) // 10_000 == 1
        project.start()
        terminal.until(lambda display: "all well" in display.text and _bid(display) // 10_000 == 2)
        terminal.press("q")
        assert terminal.ends() == 0
        assert _restored(terminal)


def test_no_colours_where_none_are_wanted(project: WatchedProject) -> None:
    """What is not well is red, but not for who has set NO_COLOR."""
    project.start("troubled")
    for wanted, environment in ((True, os.environ), (False, {**os.environ, "NO_COLOR": "1"})):
        with project.terminal(environment=environment) as terminal:
            terminal.until(lambda display: "never heard" in display.text and "q quits" in display.text)
            terminal.press("q")
            assert terminal.ends() == 0
            assert (RED in terminal.raw) is wanted
            assert ("\x1b[33m" in terminal.raw) is wanted


def test_a_dumb_terminal_gets_lines(project: WatchedProject) -> None:
    """Without what a terminal needs for drawing there is no escape sequence."""
    project.start()
    with project.terminal(environment={**os.environ, "TERM": "dumb"}) as terminal:
        terminal.until(lambda _: terminal.raw.count("mesh all well") > 1)
        terminal.press("\x03")
        assert terminal.ends() == 0
        assert "\x1b" not in terminal.raw


def test_once_on_a_terminal_is_the_whole_picture(project: WatchedProject) -> None:
    """It is written where the shell writes, however low the terminal is, and the code says that all is well."""
    project.start()
    with project.terminal("--once", height=5) as terminal:
        assert terminal.ends() == 0
        assert "\x1b[?1049h" not in terminal.raw
        assert "journal in risk" in terminal.raw


def test_an_encoding_without_arrows_has_question_marks(project: WatchedProject) -> None:
    """A terminal that cannot show a character gets another in its place, and no traceback."""
    project.start()
    with project.terminal("--once", environment={**os.environ, "PYTHONIOENCODING": "ascii"}) as terminal:
        assert terminal.ends() == 0
        assert "feed.market ? strategy-trend" in terminal.raw


def test_an_error_of_ours_leaves_the_terminal_as_it_was() -> None:
    """Whatever is raised while it is drawn, the terminal is given back before the traceback is written."""
    program = (
        "import sys\n"
        "from services.watch.terminal import COLOURED, Screen\n"
        "with Screen(sys.stdout, keys=0, palette=COLOURED) as screen:\n"
        "    screen.draw([()])\n"
        "    raise RuntimeError('ours')\n"
    )
    with Terminal([sys.executable, "-c", program], dict(os.environ), width=WIDTH, height=HEIGHT) as terminal:
        assert terminal.ends() == 1
        assert _restored(terminal)
        assert terminal.raw.index("\x1b[?1049l") < terminal.raw.index("RuntimeError: ours")
