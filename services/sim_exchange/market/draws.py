"""Chance without memory: every place of the market has its own stream of numbers, found by its name and the seed.

Nobody has to draw what comes before a place in order to know what is drawn there. That is what makes any window of
history the same in every process and in every order of asking.
"""

import hashlib

import numpy as np
from numpy.random import Generator, Philox


def draws_at(seed: int, *place: str | int) -> Generator:
    """Return the numbers of a place, such as `(seed, "path", "BTCUSDT", 627)`, from their beginning."""
    name = "\x1f".join(map(str, (seed, *place))).encode()
    key = np.frombuffer(hashlib.blake2b(name, digest_size=16).digest(), dtype="<u8")
    return Generator(Philox(key=key))
