"""What the page about the simulated exchange promises, a stranger's script finds."""

import re
import subprocess
import sys

from tests.house.tree import CHECKOUT
from tests.services.sim_exchange.exchange_process import ExchangeProject

PAGE = CHECKOUT / "docs/simulated-exchange.md"


def test_the_script_of_the_page_buys() -> None:
    """Taken from the page with nothing but the port changed, it trades with an unmodified ccxt."""
    [script] = re.findall(r"test_simulated_exchange.py -->\n```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    with ExchangeProject() as project:
        process = project.start()
        ours = script.replace("127.0.0.1:9080", f"127.0.0.1:{project.port}")
        ran = subprocess.run(
            [sys.executable, "-c", ours], cwd=project.root, capture_output=True, text=True, check=False, timeout=90
        )
        assert ran.returncode == 0, ran.stderr
        status, price, held = ran.stdout.split()
        assert (status, held) == ("closed", "0.000999")
        assert float(price) > 0
        assert project.stop(process) == 0
