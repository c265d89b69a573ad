"""Rows as a table that people read. Pure."""

from collections.abc import Iterable, Sequence

Row = dict[str, str]


def table(rows: Sequence[Row], nothing: str) -> Iterable[str]:
    """Return the lines of a table, or what is said where there are no rows."""
    if not rows:
        return [nothing]
    widths = {name: max(len(name), *(len(row[name]) for row in rows)) for name in rows[0]}
    lines = [{name: name.upper() for name in widths}, *rows]
    return ["  ".join(line[name].ljust(width) for name, width in widths.items()).rstrip() for line in lines]
