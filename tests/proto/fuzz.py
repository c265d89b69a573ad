"""Throw mutated frames at the codec: `make fuzz FRAMES=10000000`, or in `make test` a few thousand.

Every frame must be taken or refused with `BadFrame`; a frame that is taken must be one the codec would write itself.
The seed is printed, and giving it again repeats the run frame by frame.
"""

import argparse
import random
import resource
import sys
from collections import Counter
from typing import Final

from proto.codec import BadFrame, EnvelopeCodec, MarketCodec
from tests.proto.golden import stored_vectors

PROGRESS_FRAMES: Final = 250_000
MUTATIONS_MAX: Final = 6

# Bytes that mean something to MessagePack: type codes, and the edges of the ranges between them.
_TELLING_BYTES: Final = bytes([0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, *range(0xC0, 0xE0), 0xE0, 0xFF])


def mutated(frame: bytes, others: list[bytes], source: random.Random) -> bytes:
    """Change a frame in a few places, in the ways that find faults in readers."""
    changed = bytearray(frame)
    for _ in range(source.randint(1, MUTATIONS_MAX)):
        at = source.randrange(len(changed) + 1)
        removed = source.choice((0, 0, 1, 1, source.randint(1, 16)))
        changed[at : at + removed] = _inserted(bytes(changed[at : at + 1]), others, source)
    return bytes(changed)


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
        outcomes[_outcome(market, frame)] += 1
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


def _memory_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    """Run the number of frames asked for and print the tally."""
    parser = argparse.ArgumentParser(prog="python -m tests.proto.fuzz", description=__doc__)
    parser.add_argument("frames", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    asked = parser.parse_args()
    sys.stderr.write(f"seed {asked.seed}\n")
    fuzz(min(asked.frames, 20_000), asked.seed)  # warm, so that what follows shows growth alone
    before = _memory_mib()
    outcomes = fuzz(asked.frames, asked.seed)
    tally = ", ".join(f"{outcome} {count:,}" for outcome, count in outcomes.most_common())
    sys.stdout.write(f"{asked.frames:,} frames, no crash, memory grew by {_memory_mib() - before:.1f} MiB: {tally}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
