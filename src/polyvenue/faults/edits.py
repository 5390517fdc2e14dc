"""Change JSON on its way: put a value at a path, remove what is at one.

A path names keys and indices from the outside in, with "/" between: "0/orderID". A path that leads
nowhere changes nothing: the same fault meets many bodies.
"""

import json
from collections.abc import Iterable, Mapping


def edit_json(text: str, put: Mapping[str, object], remove: Iterable[str]) -> str:
    """The text with its JSON changed; text that is no JSON comes back as it is."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    for path, new in put.items():
        value = _put(value, path.split("/") if path else [], new)
    for path in remove:
        _remove(value, path.split("/"))
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _put(value: object, keys: list[str], new: object) -> object:
    if not keys:
        return new
    parent = _walk(value, keys[:-1])
    last = keys[-1]
    if isinstance(parent, dict):
        parent[last] = new
    elif isinstance(parent, list) and (index := _index(parent, last)) is not None:
        parent[index] = new
    return value


def _remove(value: object, keys: list[str]) -> None:
    parent = _walk(value, keys[:-1])
    last = keys[-1]
    if isinstance(parent, dict):
        parent.pop(last, None)
    elif isinstance(parent, list) and (index := _index(parent, last)) is not None:
        del parent[index]


def _walk(value: object, keys: list[str]) -> object:
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and (index := _index(value, key)) is not None:
            value = value[index]
        else:
            return None
    return value


def _index(values: list[object], key: str) -> int | None:
    if key.isascii() and key.isdigit() and len(key) < 10 and int(key) < len(values):
        return int(key)
    return None
