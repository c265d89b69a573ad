"""Exit codes of the processes, as sysexits.h names them. Whatever it is, the supervisor starts the process again."""

from typing import Final

IN_ORDER: Final = 0
OUR_DEFECT: Final = 70
BEGIN_ANEW: Final = 75
UNUSABLE: Final = 78
