"""The page: self-contained, safe against hostile texts, written whole or not at all."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest

from polybawt.domain.errors import BadInput
from polybawt.report.html import render, write
from polybawt.report.model import Report, RunHeader, RunTotals
from polybawt.report.recorder import Recorder
from polybawt.report.summary import Summary
from tests.unit.report.example import OPENING_E6, example

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\u2028&amp;"


class Page(HTMLParser):
    """Tags, attributes and script bodies of a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.text = ""
        self._script: dict[str, str | None] | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self._script = dict(attrs)
            self.scripts.append((self._script, ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._script = None

    def handle_data(self, data: str) -> None:
        if self._script is not None:
            attrs, body = self.scripts[-1]
            self.scripts[-1] = (attrs, body + data)
        else:
            self.text += data

    @property
    def data(self) -> Any:
        (body,) = [body for attrs, body in self.scripts if attrs.get("id") == "data"]
        return json.loads(body)


@pytest.fixture(scope="module")
def report() -> Report:
    return example()


@pytest.fixture(scope="module")
def page(report: Report) -> Page:
    return Page(render(report, example("power")))


@pytest.fixture(scope="module")
def hostile() -> Page:
    report = example(windows=1, slug=HOSTILE)
    header = msgspec.structs.replace(report.totals.header, data=HOSTILE, queue=HOSTILE)
    totals = msgspec.structs.replace(
        report.totals, header=header, limits=(HOSTILE,), set_aside=((HOSTILE, 1),)
    )
    own = msgspec.structs.replace(report, totals=totals)
    return Page(render(own, own))


def test_nothing_is_loaded_from_elsewhere(page: Page) -> None:
    for tag, attrs in page.tags:
        assert "src" not in attrs
        assert tag not in ("link", "iframe", "object", "embed", "img", "base")
        assert (attrs.get("href") or "#").startswith("#")
    policy = next(attrs["content"] for tag, attrs in page.tags if "http-equiv" in attrs)
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "http" not in policy


def test_the_policy_allows_exactly_our_two_scripts(page: Page) -> None:
    code = [body for attrs, body in page.scripts if not attrs]
    assert len(code) == 2
    hashes = [base64.b64encode(hashlib.sha256(c.encode()).digest()).decode() for c in code]
    policy = next(attrs["content"] for tag, attrs in page.tags if "http-equiv" in attrs)
    assert policy is not None
    assert re.findall(r"sha256-([^']+)", policy) == hashes


def test_our_script_never_makes_markup_from_data(page: Page) -> None:
    ours = [body for attrs, body in page.scripts if not attrs][1]
    assert "textContent" in ours
    for banned in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert banned not in ours


def test_hostile_texts_stay_texts(hostile: Page) -> None:
    assert len(hostile.scripts) == 3
    assert [tag for tag, _ in hostile.tags if tag == "img"] == []
    assert not any(name.startswith("on") for _, attrs in hostile.tags for name in attrs)
    assert HOSTILE in hostile.text
    raw = next(body for attrs, body in hostile.scripts if attrs.get("id") == "data")
    assert not set("<>&\u2028\u2029") & set(raw)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list | dict):
        items = value if isinstance(value, list) else list(value.values())
        return [text for item in items for text in _texts(item)]
    return []


def test_hostile_texts_are_no_markup_for_the_charts_either(hostile: Page) -> None:
    for text in _texts(hostile.data["figures"]):
        assert "<script" not in text
        assert "<img" not in text


def test_the_first_words_are_the_result(page: Page, report: Report) -> None:
    body = page.text[page.text.index("Lost") :]
    assert report.totals.summary.result_e6 < 0
    assert body.startswith("Lost")
    assert ("h1", {"class": "loss"}) in page.tags


def test_every_chart_has_data(page: Page) -> None:
    wanted = {attrs["data-figure"] for _, attrs in page.tags if "data-figure" in attrs}
    assert wanted == {"equity", "bars", "costs", "maker", "taker", "locked", "both"}
    for name in wanted:
        assert page.data["figures"][name]["data"], name
    assert len(page.data["windows"]) == 12
    for window in page.data["windows"]:
        assert window["fills"]
        assert len(window["figure"]["data"]) >= 3


def test_colours_are_names_that_the_style_sheet_knows(page: Page) -> None:
    style = (
        Path(sys.modules[render.__module__].__file__ or "").parent / "page/page.css"
    ).read_text()
    names = {
        match[1]
        for text in _texts(page.data)
        for match in [re.fullmatch(r"var\((--[a-z]+)\)", text)]
        if match
    }
    assert len(names) > 8
    for name in names:
        assert style.count(f"{name}:") == 2, f"{name} needs a light and a dark value"


def test_markouts_are_drawn_in_cents_with_their_errors(page: Page, report: Report) -> None:
    cell = report.markouts[0]
    assert (cell.horizon, cell.liquidity) == ("at fill", "MAKER")
    trace = page.data["figures"]["maker"]["data"][0]
    assert cell.mean_e6 is not None
    assert trace["y"][0] == pytest.approx(cell.mean_e6 / 10_000)
    assert trace["error_y"]["array"][0] == pytest.approx((cell.error_e6 or 0) / 10_000)


def test_the_page_holds_what_a_reader_needs(page: Page) -> None:
    for text in (
        "What this result does not prove",
        "the place in the queue is a model",
        "Generated by this test.",
        "crossed snapshot",
        "BOOK_STALE",
        "power queue",
        "7f3a1c",
        "812 ms against 500 ms",
        "strategies.spread_maker.clip",
    ):
        assert text in page.text.replace("\N{NO-BREAK SPACE}", " "), text


def test_a_run_without_a_fill_has_a_page() -> None:
    header = RunHeader(version="1", data="d", queue="power", seed=1)
    own = Summary(opening_cash_e6=OPENING_E6, equity_e6=OPENING_E6)
    page = Page(render(Recorder(OPENING_E6).finish(RunTotals(header=header, summary=own))))
    assert "Made and lost nothing" in page.text
    assert "Only the power queue was run" in page.text
    assert "No fill, no markout." in page.text


def test_equal_reports_are_equal_pages(report: Report) -> None:
    assert render(report) == render(example())


def test_a_page_replaces_the_old_one_and_leaves_nothing_else(
    tmp_path: Path, report: Report
) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    size = write(path, report)
    assert path.stat().st_size == size
    assert path.read_text("utf-8").startswith("<!doctype html>")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    assert path.stat().st_mode & 0o400


@pytest.mark.parametrize("name", ["missing/report.html", "folder"])
def test_a_path_that_cannot_be_written_is_one_clear_line(
    tmp_path: Path, report: Report, name: str
) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(BadInput, match="cannot be written") as caught:
        write(tmp_path / name, report)
    assert "\n" not in str(caught.value)
    assert str(tmp_path / name) in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]


def test_plotlys_python_code_is_never_imported() -> None:
    code = (
        "import sys; from tests.unit.report.example import example; "
        "from polybawt.report.html import render; "
        "render(example(windows=1)); "
        "print({'plotly.graph_objs', 'plotly.basedatatypes', 'numpy'} & set(sys.modules))"
    )
    paths = os.pathsep.join(str(Path(entry).resolve()) for entry in sys.path)
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert done.stdout.strip() == "set()"
