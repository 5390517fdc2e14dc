"""What docs/polyvenue-control.md shows is what is served."""

import json
import re
from pathlib import Path

import pytest

from polyvenue.control.app import PARTS, SCHEMA
from polyvenue.control.markets import MarketShown
from polyvenue.control.orders import TICKS_E4, MarketOrder, decode
from polyvenue.faults.requests import Request
from polyvenue.faults.spec import decode_fault
from polyvenue.faults.transport import HttpAction, HttpFault, WsAction, WsChannel, WsFault
from polyvenue.faults.within import BalanceAction, BalanceFault, EngineAction, EngineFault, Winner
from tests.polyvenue.control.test_control import ROUTES


@pytest.fixture(scope="module")
def page(repo_dir: Path) -> str:
    return (repo_dir / "docs" / "polyvenue-control.md").read_text("utf-8")


def examples(page: str) -> list[str]:
    return [
        line
        for block in re.findall(r"```json\n(.*?)```", page, re.DOTALL)
        for line in block.splitlines()
    ]


def test_every_example_is_accepted(page: str) -> None:
    faults = [line for line in examples(page) if '"kind"' in line]
    made = [decode_fault(line.encode()) for line in faults]
    assert {it.action for it in made if isinstance(it, WsFault)} == set(WsAction)
    assert {it.action for it in made if isinstance(it, EngineFault)} == set(EngineAction)
    assert {it.action for it in made if isinstance(it, BalanceFault)} == set(BalanceAction)
    assert {it.action for it in made if isinstance(it, HttpFault)} == set(HttpAction)
    (market,) = [line for line in examples(page) if '"kind"' not in line]
    assert decode(market.encode(), MarketOrder).hold_ms == 0


def test_every_route_field_and_value_is_named(page: str) -> None:
    for method, path in ROUTES[:-1]:
        assert f"`{method} {path.replace('/1', '/{id}')}`" in page
    assert f"Schema {SCHEMA}." in page
    assert f'{{"control": {SCHEMA}, ' in page
    names = [*PARTS, *TICKS_E4, *WsChannel, *Winner, *MarketOrder.__struct_fields__]
    names += [*MarketShown.__struct_fields__, *Request.__slots__]
    names += [*HttpFault.__struct_fields__, *WsFault.__struct_fields__]
    assert [name for name in names if name not in page] == []


def test_an_example_is_one_line_of_json(page: str) -> None:
    for line in examples(page):
        assert isinstance(json.loads(line), dict)
