"""A message with the names of its fields, for people and for programs that do not know the positions."""

import msgspec


def named(value: object) -> object:
    """Turn positional structs, and those within them, into named fields, and tuples into lists."""
    if isinstance(value, msgspec.Struct):
        return {name: named(getattr(value, name)) for name in value.__struct_fields__}
    return [named(item) for item in value] if isinstance(value, tuple) else value
