"""Faults are read strictly: what is wrong is said in one line, and a fault reads back the same."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyvenue.faults.edits import edit_json
from polyvenue.faults.spec import decode_fault, fault_line

HTTP = {"kind": "http", "action": "reset"}
WS = {"kind": "ws", "action": "drop", "channel": "market"}

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"action": "reset"}, "kind"),
    ({"kind": "tls"}, "kind"),
    (HTTP | {"action": "explode"}, "explode"),
    (HTTP | {"nthh": 1}, "nthh"),
    (HTTP | {"match": {"host": "x"}}, "host"),
    (HTTP | {"nth": 0}, "nth is 0: allowed are 1 to"),
    (HTTP | {"probability": 1.5}, "probability is 1.5: allowed are 0 to 1"),
    (HTTP | {"count": 0}, "count is 0"),
    (HTTP | {"for_s": 0}, "for_s is 0"),
    (HTTP | {"seed": -1}, "seed is -1"),
    (HTTP | {"status": 500}, "no use for status"),
    (HTTP | {"action": "status"}, "needs status"),
    (HTTP | {"action": "status", "status": 99}, "status is 99: allowed are 200 to 599"),
    (HTTP | {"action": "delay"}, "needs seconds"),
    (HTTP | {"action": "delay", "seconds": 1e9}, "seconds is"),
    (HTTP | {"action": "truncate", "bytes": -1}, "bytes is -1"),
    (HTTP | {"action": "truncate", "bytes": 1, "when": "before"}, "needs a reply"),
    (HTTP | {"action": "duplicate", "when": "before"}, "needs a reply"),
    (HTTP | {"action": "body"}, "either body or edits"),
    (HTTP | {"action": "body", "body": "x", "put": {"a": 1}}, "either body or edits"),
    (HTTP | {"action": "body", "put": {"a": 1}, "when": "before"}, "needs a reply"),
    (HTTP | {"action": "status", "status": 500, "body": "x" * 9_000}, "at most 8192"),
    (HTTP | {"action": "status", "status": 500, "headers": {"a\nb": "c"}}, "header name"),
    (HTTP | {"action": "status", "status": 500, "headers": {"a": "c\r\nd"}}, "printable"),
    (HTTP | {"action": "status", "status": 500, "headers": {"Content-Length": "1"}}, "sets it"),
    (WS | {"channel": "trades"}, "trades"),
    (WS | {"seconds": 1}, "no use for seconds"),
    (WS | {"action": "delay"}, "needs seconds"),
    (WS | {"action": "throttle"}, "needs rate"),
    (WS | {"action": "throttle", "rate": 0}, "rate is 0"),
    (WS | {"action": "dup", "copies": 101}, "copies is 101"),
    (WS | {"action": "reorder", "depth": 1}, "depth is 1"),
    (WS | {"action": "close", "code": 5000}, "code is 5000"),
    (WS | {"action": "close", "code": 1006}, "use action reset"),
    (WS | {"action": "edit"}, "needs put or remove"),
    (WS | {"action": "no_snapshot", "channel": "user"}, "no snapshots"),
    ({"kind": "engine", "action": "mode"}, "needs mode"),
    ({"kind": "engine", "action": "mode", "mode": "post_only", "tick_e4": 1}, "no use for tick_e4"),
    ({"kind": "engine", "action": "tick", "tick_e4": 10}, "needs market_id"),
    ({"kind": "engine", "action": "restart", "after_ms": -1}, "after_ms is -1"),
    ({"kind": "balance", "action": "withdraw", "wallet": "a"}, "needs amount_e6"),
    ({"kind": "balance", "action": "banned", "wallet": "a", "amount_e6": 1}, "no use for amount"),
    ({"kind": "balance", "action": "withdraw", "wallet": "a", "amount_e6": -1}, "amount_e6 is -1"),
    ({"kind": "trade", "steps": [{"status": "DONE"}]}, "DONE"),
    ({"kind": "job", "steps": [{"state": "STATE_NEW", "hash": 1}]}, "hash"),
]


@pytest.mark.parametrize(("fault", "said"), WRONG, ids=lambda it: str(it)[:60])
def test_a_wrong_fault_is_refused_in_one_line(fault: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=r"^fault: ") as refused:
        decode_fault(json.dumps(fault).encode())
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


RIGHT = [
    HTTP | {"nth": 2, "seed": 5, "match": {"path": "/data/*", "contains": "0x"}},
    HTTP | {"action": "body", "put": {"0/orderID": "", "1": None}, "remove": ["2"]},
    WS | {"probability": 0.25, "count": 3, "for_s": 1.5},
    {"kind": "trade", "steps": [{"status": "RETRYING", "after_ms": 5}, {"status": "FAILED"}]},
    {"kind": "job", "steps": [{"state": "STATE_FAILED"}], "wallet": "0xa"},
    {"kind": "engine", "action": "hold", "market_id": "0x1", "hold_ms": 0},
    {"kind": "balance", "action": "allowance", "wallet": "0xa", "amount_e6": 0},
]


@pytest.mark.parametrize("fault", RIGHT, ids=lambda it: str(it["kind"]))
def test_the_line_of_a_fault_orders_it_again(fault: dict[str, Any]) -> None:
    read = decode_fault(json.dumps(fault).encode())
    line = fault_line(read)
    assert "\n" not in line
    assert decode_fault(line.removeprefix("POST /faults ").encode()) == read


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(st.binary(max_size=40) | JSON.map(lambda it: json.dumps(it).encode()))
def test_whatever_is_posted_is_read_or_refused(data: bytes) -> None:
    try:
        made = decode_fault(data)
    except ValueError as refused:
        text = str(refused)
    else:
        text = fault_line(made)
    assert text.startswith(("fault: ", "POST "))


@given(JSON, st.text(max_size=6), JSON)
def test_an_edit_never_fails_and_leaves_json(value: Any, path: str, new: Any) -> None:
    made = json.loads(edit_json(json.dumps(value), {path: new}, (path, "0/a", "")))
    assert path or made == new or isinstance(new, dict)


def test_edits_reach_inside() -> None:
    text = '[{"id":"a","n":[1,2]},{"id":"b"}]'
    assert json.loads(edit_json(text, {"0/id": "", "0/n/1": 9, "1/new": 1, "7/x": 1}, ())) == [
        {"id": "", "n": [1, 9]},
        {"id": "b", "new": 1},
    ]
    assert json.loads(edit_json(text, {}, ("1", "0/n/0", "5"))) == [{"id": "a", "n": [2]}]
    assert edit_json("{", {"a": 1}, ()) == "{"
