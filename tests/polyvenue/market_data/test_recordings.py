"""Our replies have the keys, types and text formats of the recorded ones, route by route."""

import json
from pathlib import Path

import pytest

from tests.polyvenue.market_data.routes import ROUTES, Route
from tests.polyvenue.market_data.shapes import differences, kind


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: Path(route.file).stem)
def test_a_reply_has_the_recorded_shape(route: Route, shared_dir: Path) -> None:
    """Every difference is listed with its reason, and none is listed in vain."""
    recorded = json.loads((shared_dir / "fixtures" / route.file).read_text("utf-8"))
    assert differences(route.ours(), recorded) == sorted(route.intended)


def test_every_difference_has_a_reason() -> None:
    assert all(len(reason) > 10 for route in ROUTES for reason in route.intended.values())


@pytest.mark.parametrize(
    ("ours", "recorded", "expected"),
    [
        ({"a": 1}, {"a": 0.5}, []),
        ({"a": 1}, {"a": "1"}, [".a: number, recorded decimal text"]),
        ({"a": True}, {"a": 1}, [".a: boolean, recorded number"]),
        ({"a": []}, {"a": [1]}, [".a: one of the lists is empty"]),
        ([{"a": 1}], [{"b": 1}], ["[].a: only ours", "[].b: only recorded"]),
        ({"t": "1795367105123"}, {"t": "1795367105"}, None),
        ({"t": "2026-11-22T17:00:00Z"}, {"t": "2026-11-22 17:00:00+00"}, None),
        ({"t": '["a", "b"]'}, {"t": '["a","b"]'}, None),
    ],
)
def test_differences_are_seen(ours: object, recorded: object, expected: list[str] | None) -> None:
    found = differences(ours, recorded)
    assert (found == expected) if expected is not None else len(found) == 1


def test_kinds_of_texts() -> None:
    assert [kind(text) for text in ("", "7" * 77, "0.410", "0x" + "a" * 64, "hello")] == [
        "empty text",
        "token id",
        "decimal text",
        "32 bytes",
        "text",
    ]
