"""The bounded memory forgets the oldest first and says how many."""

from __future__ import annotations

from polybawt.portfolio.recent import Recent


def test_the_oldest_is_forgotten_at_the_bound() -> None:
    recent: Recent[str, int] = Recent(2)
    for i, key in enumerate("abca"):
        recent.put(key, i)
    assert dict(recent) == {"c": 2, "a": 3}
    assert recent.forgotten == 2
