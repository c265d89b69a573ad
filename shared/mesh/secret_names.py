"""The names under which secrets travel; settings refuse them, logs blank what stands behind them."""

import re

SECRET_NAME = re.compile(
    r"api[_-]?key|secret|token|passw|passphrase|private[_-]?key|signature|authorization|credential|cookie",
    re.IGNORECASE,
)
