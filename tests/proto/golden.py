"""The golden vectors: for every message version ever spoken, its shape, its bytes, and what a plain reader sees.

`python -m tests.proto.golden` adds the versions that are missing and never touches one that is there: a vector that no
longer fits is a message that changed without a new version.
"""

import json
from pathlib import Path
from typing import Any, Final

import msgpack

from proto.codec import EnvelopeCodec, MarketCodec
from proto.schema import schema_lines
from proto.topics import TOPICS, tag_of
from tests.proto.examples import BODIES, a_market_envelope, an_envelope
from tests.proto.examples_of_data import MARKET_BODIES

VECTORS: Final = Path(__file__).with_name("golden.json")


def current_frames() -> dict[str, bytes]:
    """Encode the example of every message spoken today, by tag."""
    envelopes, market = EnvelopeCodec(), MarketCodec()
    frames = {tag_of(type(body)): envelopes.encode(an_envelope(body)) for body in BODIES}
    return frames | {tag_of(type(body)): market.encode(a_market_envelope(body)) for body in MARKET_BODIES}


def current_schemas() -> dict[str, list[str]]:
    """Write out every message spoken today, by tag, with its parts, positions and bounds."""
    return {topic.tag: schema_lines(topic.message) for topic in TOPICS}


def stored_vectors() -> dict[str, dict[str, Any]]:
    """Read the vectors as they were written."""
    vectors: dict[str, dict[str, Any]] = json.loads(VECTORS.read_text(encoding="utf-8"))
    return vectors


def with_missing(vectors: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Add the versions that have no vector yet."""
    missing = {tag: frame for tag, frame in current_frames().items() if tag not in vectors}
    return vectors | {
        tag: {"schema": current_schemas()[tag], "hex": frame.hex(), "plain": msgpack.unpackb(frame)}
        for tag, frame in missing.items()
    }


if __name__ == "__main__":
    known = stored_vectors() if VECTORS.exists() else {}
    VECTORS.write_text(json.dumps(with_missing(known), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
