"""`bowline why <id>`: from an order, a trade, an approval or an intent back to the bar it was decided on."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from services.inspection.command import FOUND, NOTHING_FOUND, PROJECT, USAGE_ERROR, read_story, streams
from services.inspection.why import chain


def main(argv: Sequence[str]) -> int:
    """Run the verb."""
    parser = argparse.ArgumentParser(prog="bowline why", description="What led to an order, step by step.")
    parser.add_argument("name", help="an order's id, ours or the venue's; a trade's, an approval's or an intent's")
    parser.add_argument("--root", type=Path, default=PROJECT, help="project root (this checkout)")
    arguments = parser.parse_args(argv)
    story = read_story("why", arguments.root)
    if story is None:
        return USAGE_ERROR
    orders = story.orders_named(arguments.name)
    for order in orders:
        streams().say(*chain(story, order), "")
    if orders:
        return FOUND
    verdict = story.verdicts.get(arguments.name)
    if verdict is not None and verdict[0].refusal is not None:
        refusal = verdict[0].refusal
        streams().say(f"refused by {refusal.rule}: {refusal.value}, limit {refusal.limit}: {refusal.reason}")
        return FOUND
    streams().complain(f"bowline why: nothing in the journals is called {arguments.name}: see `bowline orders`")
    return NOTHING_FOUND
