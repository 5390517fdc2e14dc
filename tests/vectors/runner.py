"""Reads vector files, runs their rows and judges the results.

A value passes if `|got - expected| <= max(abs, rel * |expected|)`; `abs` 0 is exact equality of
decimals; `fields` of a tolerance overrides it for one key. Dicts compare per key, lists in order.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from math import isfinite
from pathlib import Path
from typing import Any

from tests.vectors.adapter import FUNCTIONS

Tolerance = dict[str, Any]
Row = dict[str, Any]
KEYS = ("id", "fn", "inputs", "expected")


class BadVectors(Exception):
    """A folder or file that holds no vectors; the message is one line."""


@dataclass
class Outcome:
    """What a run found."""

    passed: int = 0
    failures: list[str] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)


def run(folder: Path) -> Outcome:
    """Run every `*.json` of a folder. BadVectors when there is none, or one is malformed."""
    if not folder.is_dir():
        raise BadVectors(f"{folder}: not a folder")
    files = sorted(folder.glob("*.json"))
    if not files:
        raise BadVectors(f"{folder}: holds no *.json")
    outcome = Outcome()
    for file in files:
        for row in read(file):
            if row["fn"] not in FUNCTIONS:
                outcome.skipped[row["fn"]] += 1
                continue
            wrong = judge(row)
            outcome.failures.extend(f"{file.name} {row['id']} {row['fn']}: {w}" for w in wrong[:1])
            outcome.passed += not wrong
    return outcome


def read(file: Path) -> list[Row]:
    """The rows of one file, numbers as exact decimals."""
    try:
        content = json.loads(file.read_text("utf-8"), parse_float=Decimal)
    except (OSError, ValueError, RecursionError) as error:
        raise BadVectors(f"{file}: not a JSON file: {str(error).splitlines()[0]}") from None
    rows = content.get("rows") if isinstance(content, dict) else None
    if not isinstance(rows, list):
        raise BadVectors(f"{file}: has no list `rows`")
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict) or any(key not in row for key in KEYS):
            raise BadVectors(f"{file}: row {number} needs {', '.join(KEYS)}")
        if not isinstance(row["fn"], str) or not isinstance(row["inputs"], dict):
            raise BadVectors(f"{file}: row {number}: `fn` is a text and `inputs` an object")
        if not isinstance(row.get("tolerance", {}), dict):
            raise BadVectors(f"{file}: row {number}: `tolerance` is an object")
    return rows


def judge(row: Row) -> list[str]:
    """What is wrong with the product's answer; empty if it passes."""
    expected = row["expected"]
    wants_error = isinstance(expected, dict) and set(expected) == {"error"}
    try:
        got = FUNCTIONS[row["fn"]](row["inputs"])
    except Exception as error:
        name = type(error).__name__
        if wants_error and expected["error"] in (c.__name__ for c in type(error).__mro__):
            return []
        return [f"raised {name}: {error}; expected {expected}"]
    if wants_error:
        return [f"got {got}; expected {expected['error']}"]
    return list(differences(got, expected, row.get("tolerance", {}), ""))


def differences(got: object, expected: object, tolerance: Tolerance, path: str) -> Iterator[str]:
    """Each place at which a result is not what was expected."""
    if isinstance(expected, dict):
        if not isinstance(got, dict) or set(got) != set(expected):
            yield f"{path or 'result'}: got {got}; expected the keys {', '.join(expected)}"
            return
        for key, value in expected.items():
            own = tolerance.get("fields", {}).get(key, tolerance)
            yield from differences(got[key], value, own, f"{path}.{key}".lstrip("."))
    elif isinstance(expected, list):
        if not isinstance(got, list | tuple) or len(got) != len(expected):
            yield f"{path or 'result'}: got {got}; expected {len(expected)} elements"
            return
        for index, value in enumerate(expected):
            yield from differences(got[index], value, tolerance, f"{path}[{index}]")
    elif not is_close(got, expected, tolerance):
        yield f"{path or 'result'}: got {got}; expected {expected}"


def is_close(got: object, expected: object, tolerance: Tolerance) -> bool:
    """Whether one value passes."""
    if expected is None or isinstance(expected, bool):
        return got is expected
    wanted, have = number(expected), number(got)
    if wanted is None or have is None:
        return wanted is None and got == expected
    allowed = Fraction(str(tolerance.get("abs", 0)))
    relative = Fraction(str(tolerance.get("rel", 0))) * abs(wanted)
    return abs(have - wanted) <= max(allowed, relative)


def number(value: object) -> Fraction | None:
    """A finite number, or a text of one, as an exact fraction."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return Fraction(value) if isfinite(value) else None
    if isinstance(value, str):
        try:
            value = Decimal(value)
        except InvalidOperation:
            return None
    if isinstance(value, Decimal):
        return Fraction(value) if value.is_finite() else None
    return Fraction(value) if isinstance(value, int | Fraction) else None
