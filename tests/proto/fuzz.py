"""Throw mutated frames at the codec: `make fuzz FRAMES=10000000`, or in `make test` a few thousand.

Every frame must be taken or refused with `BadFrame`; a frame that is taken must be one the codec would write itself.
The seed is printed, and giving it again repeats the run frame by frame.
"""

import argparse
import contextlib
import math
import random
import resource
import secrets
import sys
from collections import Counter
from typing import Any, Final

import msgpack

from proto.codec import BadFrame, EnvelopeCodec, MarketCodec
from tests.proto.golden import stored_vectors

PROGRESS_FRAMES: Final = 250_000
MUTATIONS_MAX: Final = 3
MEMORY_GROWTH_MIB_MAX: Final = 10

# Bytes that mean something to MessagePack: type codes, and the edges of the ranges between them.
_TELLING_BYTES: Final = bytes([0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, *range(0xC0, 0xE0), 0xE0, 0xFF])


def mutated(frame: bytes, others: list[bytes], source: random.Random) -> bytes:
    """Damage a frame: half the time its bytes, half the time a value inside it, to meet checks of every depth."""
    if source.random() < 0.5:
        packed: bytes = msgpack.packb(_with_another_value(msgpack.unpackb(frame), source))
        return packed
    changed = bytearray(frame)
    for _ in range(source.randint(1, MUTATIONS_MAX)):
        at = source.randrange(len(changed) + 1)
        removed = source.choice((0, 0, 1, 1, source.randint(1, 16)))
        changed[at : at + removed] = _inserted(bytes(changed[at : at + 1]), others, source)
    return bytes(changed)


def _with_another_value(plain: list[Any], source: random.Random) -> list[Any]:
    at = source.randrange(len(plain) + 1)
    if at == len(plain):
        return [*plain, _value(source)] if source.randrange(2) else plain[:-1]
    there = plain[at]
    deeper = isinstance(there, list) and there and source.randrange(4)
    return [*plain[:at], _with_another_value(there, source) if deeper else _value(source), *plain[at + 1 :]]


def _value(source: random.Random) -> object:
    return source.choice(
        (
            *(None, True, False, 0, 1, -1, 2**31, 2**63 - 1, 2**63, 2**64 - 1, -(2**63), 0.0, -0.0, 1.5, 1e300),
            *(math.nan, math.inf, -math.inf, "", "0", "-0", "1.5", "1E-7", "NaN", "1E+999999", "x" * 700, "\x00"),
            *(b"", b"\xff", [], [[]], {}, {"type": "kill.1"}, ["stop", "1"], ["watch"], msgpack.ExtType(1, b"x")),
            *("buy", "entry", "RUN", str(source.random()), source.randrange(2**32), source.random()),
        )
    )


def _inserted(there: bytes, others: list[bytes], source: random.Random) -> bytes:
    match source.randrange(6):
        case 0:
            return b""
        case 1:
            return bytes(byte ^ 1 << source.randrange(8) for byte in there)
        case 2:
            return bytes([source.choice(_TELLING_BYTES)])
        case 3:
            return bytes([source.choice(_TELLING_BYTES)]) * source.randint(2, 200)
        case 4:
            return source.randbytes(source.randint(1, 16))
        case _:
            other = source.choice(others)
            start = source.randrange(len(other))
            return other[start : start + source.randint(1, 64)]


def fuzz(frames: int, seed: int) -> Counter[str]:
    """Run that many mutated frames through both codecs and count what became of them."""
    source = random.Random(seed)  # noqa: S311 -- repeatable on purpose, and no secret
    originals = [bytes.fromhex(vector["hex"]) for vector in stored_vectors().values()]
    envelopes, market = EnvelopeCodec(), MarketCodec()
    outcomes: Counter[str] = Counter()
    for number in range(1, frames + 1):
        frame = mutated(source.choice(originals), originals, source)
        outcomes[_outcome(envelopes, frame)] += 1
        alone = _outcome(market, frame)
        outcomes[alone] += 1
        _check_in_array(market, frame, taken=alone == "taken")
        _check_stored(envelopes, frame)
        if number % PROGRESS_FRAMES == 0:
            sys.stderr.write(f"{number:,} frames, {_memory_mib():.0f} MiB at most\n")
    return outcomes


def _outcome(codec: EnvelopeCodec | MarketCodec, frame: bytes) -> str:
    try:
        envelope = codec.decode(frame)
    except BadFrame as error:
        return str(error.reason)
    if isinstance(codec, EnvelopeCodec) and codec.encode(envelope) != frame:  # type: ignore[arg-type]  # its own
        raise AssertionError(f"a frame was taken that spells differently: {frame.hex()}")
    return "taken"


def _check_in_array(codec: MarketCodec, frame: bytes, *, taken: bool) -> None:
    try:
        codec.decode_array(b"\x91" + frame)
    except BadFrame:
        assert not taken, f"refused in a packet, taken alone: {frame.hex()}"
    else:
        assert taken, f"taken in a packet, refused alone: {frame.hex()}"


def _check_stored(codec: EnvelopeCodec, frame: bytes) -> None:
    with contextlib.suppress(BadFrame):
        assert codec.encode(codec.decode_stored(frame)) == frame, f"stored differently: {frame.hex()}"


def _memory_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    """Run the number of frames asked for and print the tally."""
    parser = argparse.ArgumentParser(prog="python -m tests.proto.fuzz", description=__doc__)
    parser.add_argument("frames", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    asked = parser.parse_args()
    sys.stderr.write(f"seed {asked.seed}\n")
    fuzz(min(asked.frames, 20_000), asked.seed)  # warm, so that what follows shows growth alone
    before = _memory_mib()
    outcomes = fuzz(asked.frames, asked.seed)
    tally = ", ".join(f"{outcome} {count:,}" for outcome, count in outcomes.most_common())
    grown = _memory_mib() - before
    sys.stdout.write(f"{asked.frames:,} frames, no crash, memory grew by {grown:.1f} MiB: {tally}\n")
    return 0 if grown < MEMORY_GROWTH_MIB_MAX else 1


if __name__ == "__main__":
    sys.exit(main())
