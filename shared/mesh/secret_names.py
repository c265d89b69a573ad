"""The names under which secrets travel; settings refuse them, logs blank what stands behind them."""

import re

# A short word counts only when it stands alone: X-BAPI-SIGN and `sign=`, and not `design` or `signal`. The look ahead
# at the first letter changes nothing but the speed, by a factor of three.
SECRET_NAME = re.compile(
    r"(?=[aclpst])"
    r"(?:(?:api|access|listen|private)[_-]?key|secret|token|passw|passphrase|pwd|signature|authorization|credential|cookie"
    r"|(?<![a-z])sign(?![a-z]))",
    re.IGNORECASE | re.ASCII,
)
