"""The `bowline` command: looks up the verb and hands over; imports a verb's module only when it is asked for."""

import sys


def main() -> int:
    """Run the verb named on the command line and return its exit code."""
    sys.stderr.write("bowline: no verb is built yet\n")
    return 2
