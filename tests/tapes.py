"""Parts of the shipped sample, cut without our code: the first frames, sealed with their count."""

from __future__ import annotations

import json
from pathlib import Path

import zstandard


def cut(source: Path, target: Path, frames: int) -> Path:
    """Write the first `frames` frames of a tape as a tape."""
    with source.open("rb") as file:
        data = zstandard.ZstdDecompressor().stream_reader(file).read()
    lines = data.split(b"\n")[: frames + 1]
    _, recv_ns, wall_ns, _, _ = json.loads(lines[-1])
    end = [frames + 1, recv_ns, wall_ns, "end", {"frames": frames, "set_aside": {}}]
    text = b"\n".join([*lines, json.dumps(end).encode(), b""])
    target.write_bytes(zstandard.ZstdCompressor(level=1).compress(text))
    return target
