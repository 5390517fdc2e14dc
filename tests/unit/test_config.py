"""Configuration: what is wrong is one line with key, origin and range; origins are kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from polybawt.adapters.fills.config import FillConfig
from polybawt.config import Config, load
from polybawt.domain.errors import BadInput
from polybawt.risk.limits import LimitsConfig
from polybawt.strategies.registry import plugins
from polybawt.strategies.spread_maker import Config as SpreadMakerConfig

UNITS = {
    *("ms", "s", "e4", "e6", "ppm", "pusd", "shares", "ticks"),
    *("fraction", "tol"),  # a fraction says so
    *("orders", "streak"),  # counts name what they count
}
DIMENSIONLESS = {"power", "seed"}


def failure(path: Path, text: str | bytes, **environ: str) -> str:
    """The one line that a configuration file is refused with."""
    file = path / "mine.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BadInput) as caught:
        load(str(file), environ=environ)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message.replace(str(file), "FILE")


# --- values out of range -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("section", "line", "says"),
    [
        ("risk", "order_fraction: 2", "is 2: .*allowed: above 0 up to 1.*write 0.02 for 2 %"),
        ("risk", "order_fraction: 0", "is 0: .*allowed: above 0 up to 1"),
        ("risk", "order_fraction: .nan", "is nan: .*allowed: above 0 up to 1"),
        ("risk", "order_fraction: .inf", "is inf: .*allowed: above 0 up to 1"),
        ("risk", "order_fraction: 2%", "is '2%': .*write 0.02 for 2 %"),
        ("risk", "order_fraction: [1, 2]", r"is \[1, 2\]: .*valid number"),
        ("risk", "order_fraction:", "is None: .*valid number"),
        ("risk", "order_shares_max: 0", "is 0: .*allowed: from 1 up to 10000000"),
        ("risk", "order_shares_max: 1.5", "is 1.5: .*valid integer"),
        ("risk", "order_shares_max: yes", "is True, not a number .*from 1 up to 10000000"),
        ("risk", "reject_cooldown_s: -1", "is -1: .*allowed: from 1 up to 86400"),
        ("engine", "cutoff_s: 301", "is 301: .*allowed: from 0 up to 300"),
        ("engine", "timer_ms: off", "is False, not a number"),
        ("account", "opening_cash_pusd: 0", "is 0: .*allowed: above 0 up to 1000000000"),
        ("account", "opening_cash_pusd: 0.0000001", "is 1e-07: .*decimal places"),
        ("account", "opening_cash_pusd: .inf", "is inf: .*finite"),
        ("account", "opening_cash_pusd: true", "is True, not a number"),
        ("account", "cost_method: lifo", "is 'lifo': .*'average' or 'fifo'"),
        ("fills", "queue: hopeful", "is 'hopeful': .*'pessimistic' or 'power'"),
        ("fills", "power: .inf", "is inf: .*finite"),
        ("fills", "order_ms: 2020-01-01", "is datetime.date.2020, 1, 1.: .*allowed: from 0"),
    ],
)
def test_a_bad_value_names_key_line_and_range(
    section: str, line: str, says: str, tmp_path: Path
) -> None:
    message = failure(tmp_path, f"# a comment\n{section}:\n  {line}\n")
    key = line.partition(":")[0]
    assert re.fullmatch(rf"FILE line 3: {section}\.{key} {says}.*", message)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("clip_shares: 0", "allowed: from 1 up to 100000"),
        ("half_spread_floor_e4: 0.02", "write 500 for 0.05"),
        ("requote_size_tol: 1", "allowed: from 0 below 1"),
        ("enabled: maybe", "valid boolean"),
        ("clip_shares: true", "not a number"),
    ],
)
def test_a_bad_value_of_a_strategy(line: str, says: str, tmp_path: Path) -> None:
    message = failure(tmp_path, f"strategies:\n  spread_maker:\n    {line}\n")
    key = line.partition(":")[0]
    assert message.startswith(f"FILE line 3: strategies.spread_maker.{key} is ")
    assert says in message


def test_several_bad_values_are_counted(tmp_path: Path) -> None:
    message = failure(tmp_path, "risk:\n  order_fraction: 2\n  token_fraction: 2\n  x: 1\n")
    assert message.endswith("(and 2 more)")


# --- keys and shapes -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x: 1\n", "FILE line 1: unknown key x; see `polybawt config` for every key"),
        ("risk:\n  x: 1\n", "FILE line 2: unknown key risk.x; see `polybawt config`"),
        (
            "strategies:\n  spread_maker: {x: 1}\n",
            "FILE line 2: unknown key strategies.spread_maker.x",
        ),
        ("strategies:\n  nope: {}\n", "FILE line 2: unknown strategy 'nope'; known: "),
        ("strategies: 5\n", "FILE line 1: strategies must be a mapping of names, is 5"),
        ("strategies:\n  spread_maker: 5\n", "FILE line 2: strategies.spread_maker is 5"),
        ("risk: 5\n", "FILE line 1: risk is 5"),
        ("1: 2\n", "FILE line 1: 1 is 1: keys should be strings"),
        ("risk:\n  x: 1\n  x: 2\n", "FILE line 3: risk.x twice"),
        ("- 1\n", "FILE: must be a mapping of sections, is a list"),
        ("hello", "FILE: must be a mapping of sections, is a str"),
        ("risk: {", "FILE line 1: not valid YAML"),
        ("risk:\n\tx: 1\n", "FILE line 2: not valid YAML"),
        ("--- {}\n--- {}\n", "FILE line 2: not valid YAML"),
        ("a\0b", "FILE: not valid YAML"),
        ("fills:\n  seed: 2020-13-45\n", "FILE: not valid YAML: month must be in 1..12"),
        ("fills:\n  seed: 0x_\n", "FILE: not valid YAML"),
        ("risk: !!python/name:os.system\n", "FILE line 1: not valid YAML"),
        ("a: &a {b: *a}\n", "FILE line 1: nested too deeply"),
        ("[" * 5_000, "FILE: nested too deeply"),
        (b"\xff\xfe", "profile 'FILE' is not UTF-8 text"),
    ],
)
def test_a_file_that_is_no_configuration(text: str | bytes, says: str, tmp_path: Path) -> None:
    assert failure(tmp_path, text).startswith(says)


@pytest.mark.parametrize(
    ("profile", "why"),
    [
        ("nope", "No such file"),
        ("", "Is a directory"),
        ("a\0b", "null byte"),
        ("./default", "No such file"),
    ],
)
def test_an_unknown_profile_names_those_that_ship(
    profile: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput, match=f"{why}.*give a file or one of: default, original"):
        load(profile, environ={})


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "empty.yaml"
    file.write_text("", "utf-8")
    loaded = load(str(file), environ={})
    assert loaded.config.risk == LimitsConfig()
    assert loaded.config.strategies == {name: p.config() for name, p in plugins().items()}
    assert loaded.origins == {}


# --- environment and options ---------------------------------------------------------------------


def test_later_wins_and_every_origin_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    text = "fills:\n  seed: 2\n  order_ms: 10\nstrategies:\n  spread_maker:\n    clip_shares: 20\n"
    file.write_text(text, "utf-8")
    environ = {
        "POLYBAWT__FILLS__ORDER_MS": "20",
        "POLYBAWT__ACCOUNT__OPENING_CASH_PUSD": "123.45",
        "POLYBAWT__STRATEGIES__SPREAD_MAKER__CLIP_SHARES": "30",
        "OTHER": "x",
    }
    options: dict[tuple[str, ...], Any] = {("fills", "order_ms"): 30}
    loaded = load(str(file), options=options, environ=environ)
    rows = {row.key: (row.value, row.origin) for row in loaded.rows()}
    assert rows["fills.seed"] == (2, f"{file} line 2")
    assert rows["fills.order_ms"] == (30, "option")
    assert rows["account.opening_cash_pusd"] == (
        Decimal("123.45"),
        "environment POLYBAWT__ACCOUNT__OPENING_CASH_PUSD",
    )
    assert rows["strategies.spread_maker.clip_shares"] == (
        30,
        "environment POLYBAWT__STRATEGIES__SPREAD_MAKER__CLIP_SHARES",
    )
    assert rows["fills.feed_ms"] == (FillConfig().feed_ms, "default")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("RISK__ORDER_FRACTION", "2", "risk.order_fraction is 2: .*above 0 up to 1"),
        ("RISK__ORDER_FRACTION", "", "risk.order_fraction is None"),
        ("RISK__ORDER_FRACTION", "{", "'{' is not a value"),
        ("RISK__ORDER_FRACTION", "2020-13-45", "'2020-13-45' is not a value"),
        ("RISK__ORDER_FRACTION__X", "1", "risk.order_fraction is {'x': 1}"),
        ("RISK", "2", "risk is 2"),
        ("", "2", "unknown key "),
        ("RISKS__X", "2", "unknown key risks"),
        ("STRATEGIES__NOPE__X", "1", "unknown strategy 'nope'"),
    ],
)
def test_a_bad_environment_names_its_variable(
    name: str, value: str, says: str, tmp_path: Path
) -> None:
    message = failure(tmp_path, "", **{f"POLYBAWT__{name}": value})
    assert re.match(rf"environment POLYBAWT__{name}: {says}", message)


def test_a_value_is_no_section(tmp_path: Path) -> None:
    both = {"POLYBAWT__RISK": "2", "POLYBAWT__RISK__ORDER_FRACTION": "1"}
    assert "risk is a value, not a section" in failure(tmp_path, "", **both)


def test_the_environment_of_the_process_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYBAWT__FILLS__SEED", "77")
    assert load().config.fills.seed == 77


def test_naming_strategies_enables_only_these() -> None:
    config = load(strategies=("spread_maker",), environ={}).config
    assert {name: one.enabled for name, one in config.strategies.items()} == {
        name: name == "spread_maker" for name in plugins()
    }
    with pytest.raises(BadInput, match=r"unknown strategy .x.; known: .*spread_maker"):
        load(strategies=("x",), environ={})


# --- profiles and the settings themselves --------------------------------------------------------


@pytest.mark.parametrize(("profile", "trigger_e4"), [("default", 0), ("original", 500)])
def test_profiles_ship(profile: str, trigger_e4: int) -> None:
    loaded = load(profile, environ={})
    settings = loaded.config.strategies["spread_maker"]
    assert isinstance(settings, SpreadMakerConfig)
    assert settings.spread_trigger_e4 == trigger_e4
    assert loaded.profile == profile
    origins = set(loaded.origins.values())
    assert origins
    assert all(re.fullmatch(rf"profile {profile} line \d+", origin) for origin in origins)


def settings() -> Iterator[tuple[str, FieldInfo]]:
    sections: dict[str, type[BaseModel]] = {}
    for name, field in Config.model_fields.items():
        if name != "strategies":
            assert isinstance(field.annotation, type)
            sections[name] = field.annotation
    sections |= {f"strategies.{name}": plugin.config for name, plugin in plugins().items()}
    for section, model in sections.items():
        for key, field in model.model_fields.items():
            yield f"{section}.{key}", field


SETTINGS = dict(settings())


@pytest.mark.parametrize("key", SETTINGS)
def test_every_setting_is_described_bounded_and_named_with_its_unit(key: str) -> None:
    field = SETTINGS[key]
    assert field.description
    assert field.description.endswith(".")
    name = key.rpartition(".")[2]
    if field.annotation not in (int, float, Decimal):
        return
    bounds = [b for b in field.metadata for side in ("ge", "gt", "le", "lt") if hasattr(b, side)]
    assert len(bounds) == 2, "a number has a lower and an upper bound"
    assert name in DIMENSIONLESS or UNITS & set(name.split("_"))


def test_every_setting_is_shown_with_its_description() -> None:
    rows = list(load(environ={}).rows())
    assert [row.key for row in rows] == list(SETTINGS)
    assert all(row.meaning and row.allowed for row in rows)


def test_settings_are_frozen() -> None:
    config = load(environ={}).config
    for section in (config, config.risk, config.fills, config.engine, config.account):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(section, next(iter(type(section).model_fields)), None)
