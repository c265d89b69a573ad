"""The file in the project root: what every program of it has, and how it follows the configured directories."""

import configparser
from pathlib import Path

import pytest

from shared.mesh.program_file import read_program_file, rendered
from tests.house.tree import CHECKOUT
from tests.services.supervision.harness import CONF
from tests.shared.mesh.settings.projects import a_configuration

LOG_SETTINGS = {"", "_maxbytes", "_backups"}


def sections(text: str) -> dict[str, dict[str, str]]:
    """Return the sections that are programs."""
    parser = configparser.RawConfigParser(inline_comment_prefixes=(" ;",), strict=True)
    parser.read_string(text)
    return {name: dict(parser[name]) for name in parser.sections() if name.startswith(("program:", "eventlistener:"))}


def test_the_file_is_ours_to_read() -> None:
    """The file that is shipped can be read; Redis is among its programs, and no process of the mesh."""
    file = read_program_file(CHECKOUT)
    assert {"metrics", "overseer", "redis"} <= file.stop_wait_s.keys()
    assert {*file.instances} == file.stop_wait_s.keys() - {"redis"}


@pytest.mark.parametrize(("section", "settings"), sections(CONF).items())
def test_every_program_has_what_every_program_needs(section: str, settings: dict[str, str]) -> None:
    """Each restarts for ever, dies with its whole group, is closed to others, and keeps a bounded log of its name."""
    kind, _, instance = section.partition(":")
    wanted = {
        "autostart": "true",
        "autorestart": "true",
        "startsecs": "1",
        "startretries": "1000000" if kind == "eventlistener" else "3",
        "stopsignal": "TERM",
        "stopasgroup": "true",
        "killasgroup": "true",
        "umask": "077",
        "directory": "%(here)s",
    }
    assert wanted.items() <= settings.items()
    assert float(settings["stopwaitsecs"]) > 0
    assert settings["command"].startswith('"%(here)s/.venv/bin/python" -m services.')
    log = "stderr_logfile" if kind == "eventlistener" else "stdout_logfile"
    assert {name for name in settings if name.startswith(log)} == {f"{log}{end}" for end in LOG_SETTINGS}
    assert settings[log] == f"%(here)s/var/logs/{instance}.log"
    # An event listener's standard output is its conversation with supervisord.
    assert settings.get("redirect_stderr") == (None if kind == "eventlistener" else "true")


def test_configured_directories_take_the_place_of_the_default_ones(tmp_path: Path) -> None:
    """A copy has the configured directories wherever the file has the default ones, and no other path."""
    local = "paths: {var_directory: data, run_directory: sockets}"
    text = rendered(CONF, a_configuration(tmp_path, local=local), tmp_path)
    assert "%(here)s/" not in text
    assert f"file={tmp_path}/sockets/supervisor.sock\n" in text
    assert f"logfile={tmp_path}/data/logs/supervisord.log\n" in text
    assert f'command="{tmp_path}/.venv/bin/python" -m services.overseer\n' in text
