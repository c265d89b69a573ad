"""Where recorded markets are: in a folder beside the checkout, for they are too large to be shipped."""

from pathlib import Path
from typing import Final

import pytest

from tests.house.tree import CHECKOUT

RECORDINGS: Final = CHECKOUT.parent / "shared" / "data"


def recording(name: str) -> Path:
    """Return the recording of this name, or skip the test where there is none."""
    path = RECORDINGS / name
    if not path.exists():
        pytest.skip(f"there is no {name} in shared/data beside the checkout")
    return path
