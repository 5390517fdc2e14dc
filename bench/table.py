"""The result of a run: rows of ours beside a peer, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One row. `better` says which way the number should go: "more" or "less"."""

    what: str
    unit: str
    ours: float | None
    peer_name: str = ""
    peer: float | None = None
    better: str = "less"
    aim_ratio: float | None = None
    aim_ours: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times better ours is; below 1 the peer is better."""
        if not self.ours or not self.peer:
            return None
        return self.ours / self.peer if self.better == "more" else self.peer / self.ours

    @property
    def aim(self) -> str:
        """The aim, and whether this run reached it."""
        if self.aim_ratio is not None:
            text, got = f"{self.aim_ratio:g}x", self.ratio
            reached = got is not None and got >= self.aim_ratio
        elif self.aim_ours is not None:
            text, got = f"< {self.aim_ours:g} {self.unit}", self.ours
            reached = got is not None and got < self.aim_ours
        else:
            return ""
        return text if got is None else f"{text} {'reached' if reached else 'missed'}"


def number(value: float | None, unit: str) -> str:
    """A value with three significant digits and its unit."""
    if value is None:
        return "-"
    for scale, prefix in ((1e6, "M"), (1e3, "k")):
        if unit == "ev/s" and value >= scale:
            return f"{value / scale:.3g} {prefix} {unit}"
    if unit == "ns" and value >= 1_000:
        return f"{value / 1_000:.3g} us"
    return f"{value:.3g} {unit}" if abs(value) < 1_000 else f"{value:,.0f} {unit}"


def cells(line: Line) -> tuple[str, ...]:
    """A row as text."""
    peer = f"{line.peer_name} {number(line.peer, line.unit)}" if line.peer_name else ""
    ratio = "" if line.ratio is None else f"{line.ratio:.2g}x"
    if line.peer_name and line.peer is None:
        peer = f"{line.peer_name}: {line.note}"
    return line.what, number(line.ours, line.unit), peer, ratio, line.aim


HEAD = ("what", "ours", "peer", "ratio", "aim")


def text(lines: Sequence[Line]) -> str:
    """All rows, aligned, as a Markdown table."""
    rows = [HEAD, *(cells(line) for line in lines)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
    shown = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([shown[0], rule, *shown[1:]])
