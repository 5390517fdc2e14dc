"""The shape of JSON: keys, types and text formats, without the values.

`differences(ours, recorded)` names, by path, every key that only one of them has and every value
whose kind differs. Lists are compared by their first elements.
"""

import re

_TEXTS = (
    ("empty text", r""),
    ("token id", r"\d{60,78}"),
    ("milliseconds text", r"\d{13}"),
    ("seconds text", r"\d{10}"),
    ("decimal text", r"-?\d+(\.\d+)?"),
    ("32 bytes", r"0x[0-9a-f]{64}"),
    ("20 bytes", r"0x[0-9a-fA-F]{40}"),
    ("40 hex digits", r"[0-9a-f]{40}"),
    ("ISO time, seconds", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
    ("ISO time, fraction", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}Z"),
    ("date", r"\d{4}-\d\d-\d\d"),
    ("database time", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?\+00"),
    ("JSON list of texts", r"\[(\"[^\"]*\"(, \"[^\"]*\")*)?\]"),
    ("address of a page", r"https://\S+"),
    ("capitals", r"[A-Z_]+"),
)


def kind(value: object) -> str:
    """The kind of one JSON value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return next((name for name, form in _TEXTS if re.fullmatch(form, value)), "text")
    return "list" if isinstance(value, list) else "object"


def differences(ours: object, recorded: object, path: str = "") -> list[str]:
    """What differs, as lines `path: ours, recorded`; sorted."""
    if isinstance(ours, dict) and isinstance(recorded, dict):
        found = [f"{path}.{name}: only ours" for name in ours.keys() - recorded.keys()]
        found += [f"{path}.{name}: only recorded" for name in recorded.keys() - ours.keys()]
        for name in ours.keys() & recorded.keys():
            found += differences(ours[name], recorded[name], f"{path}.{name}")
        return sorted(found)
    if isinstance(ours, list) and isinstance(recorded, list):
        if ours and recorded:
            return differences(ours[0], recorded[0], f"{path}[]")
        return [] if bool(ours) == bool(recorded) else [f"{path}: one of the lists is empty"]
    mine, theirs = kind(ours), kind(recorded)
    return [] if mine == theirs else [f"{path}: {mine}, recorded {theirs}"]
