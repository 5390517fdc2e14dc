"""Malformed frames: one of a fixed list, chosen by a draw."""

from collections.abc import Callable, Sequence

BIG_BYTES = 5_000_000
DEEP = 100_000


def _half(text: str) -> str:
    return text[: len(text) // 2]


GARBAGE: Sequence[Callable[[str], str]] = (
    _half,
    lambda text: text + "}",
    lambda text: text.replace('"', "'"),
    lambda text: text.replace(":", ":null,", 1),
    lambda text: "",
    lambda text: "null",
    lambda text: "[]",
    lambda text: "[NaN]",
    lambda text: '{"event_type":17,"price":{"a":[]},"size":true}',
    lambda text: '{"event_type":"price_changes_v9","data":[1,2,3]}',
    lambda text: '{"event_type":"book","bids":[{"price":"NaN","size":"-1"}],"asks":"none"}',
    lambda text: '{"price":1e999,"size":' + "9" * 5_000 + "}",
    lambda text: "[" * DEEP + "]" * DEEP,
    lambda text: '"' + "x" * BIG_BYTES + '"',
    lambda text: "\x00\x1b[2J\u202e\ufffd",
)


def garbage(draw: float, text: str) -> str:
    """A malformed frame in place of `text`; `draw` in [0, 1) chooses."""
    return GARBAGE[int(draw * len(GARBAGE))](text)
