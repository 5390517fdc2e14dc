"""Configuration: profile and environment to one frozen, validated value, with every origin kept.

Later wins: built-in defaults, profile (a shipped name or a file), `POLYBAWT__SECTION__KEY` in the
environment, options of the command. An unknown key or a value out of range is one line and exit 2.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import yaml
from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from polybawt.adapters.fills.config import FillConfig
from polybawt.domain.errors import BadInput
from polybawt.risk.limits import LimitsConfig
from polybawt.strategies.base import StrategyConfig
from polybawt.strategies.registry import plugins

ENV_PREFIX = "POLYBAWT__"
Keys = tuple[str, ...]
KEYS_MAX = 8
"""Depth at which a file is refused: no section goes so deep, and an alias may point to itself."""
M = TypeVar("M", bound=BaseModel)


class Section(BaseModel):
    """Base of every section: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class AccountConfig(Section):
    """The account that trades."""

    opening_cash_pusd: Decimal = Field(
        default=Decimal(5_000), gt=0, le=1_000_000_000, decimal_places=6
    )
    """Cash at the start, and the bankroll that the limits are fractions of, pUSD."""
    cost_method: Literal["average", "fifo"] = "average"
    """How sold tokens find their cost."""


class EngineConfig(Section):
    """The core's own settings."""

    timer_ms: int = Field(default=500, ge=10, le=10_000)
    """Period of the timer that lets staleness and phases act without a market frame, ms."""
    cutoff_s: int = Field(default=5, ge=0, le=300)
    """No order after this time before the close, s."""


class Config(Section):
    """Everything that can be set."""

    account: AccountConfig = AccountConfig()
    engine: EngineConfig = EngineConfig()
    risk: LimitsConfig = LimitsConfig()
    fills: FillConfig = FillConfig()
    strategies: dict[str, StrategyConfig] = Field(default_factory=dict)


@dataclass(frozen=True)
class Setting:
    """One effective setting, for a person."""

    key: str
    value: Any
    allowed: str
    origin: str
    meaning: str


@dataclass(frozen=True)
class Loaded:
    """A configuration and where each value that is not a default came from."""

    config: Config
    profile: str
    origins: Mapping[Keys, str]

    def rows(self) -> Iterator[Setting]:
        """Every setting, in order."""
        for name in type(self.config).model_fields:
            section = getattr(self.config, name)
            if isinstance(section, dict):
                for strategy, settings in section.items():
                    yield from self._section((name, strategy), settings)
            else:
                yield from self._section((name,), section)

    def _section(self, path: Keys, section: BaseModel) -> Iterator[Setting]:
        for key, field in type(section).model_fields.items():
            yield Setting(
                key=".".join((*path, key)),
                value=getattr(section, key),
                allowed=_allowed_values(field),
                origin=self.origins.get((*path, key), "default"),
                meaning=field.description or "",
            )


def load(
    profile: str = "default",
    *,
    strategies: tuple[str, ...] = (),
    options: Mapping[Keys, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Loaded:
    """Read and validate. `strategies`, if any, are the only ones enabled. BadInput if wrong."""
    origins: dict[Keys, str] = {}
    tree = _read_profile(profile, origins)
    _overlay_environment(tree, origins, os.environ if environ is None else environ)
    for keys, value in (options or {}).items():
        _put(tree, keys, value, origins, "option")
    known = plugins()
    for name in strategies:
        if name not in known:
            raise BadInput(f"unknown strategy {name!r}; known: {', '.join(known)}")
    if strategies:
        for name in known:
            _put(tree, ("strategies", name, "enabled"), name in strategies, origins, "option")
    return Loaded(_validate(tree, origins), profile, origins)


def _allowed_values(field: FieldInfo) -> str:
    """The allowed values of a field: its choices or its range."""
    choices = get_args(field.annotation)
    if choices and all(isinstance(choice, str) for choice in choices):
        return " | ".join(choices)
    if field.annotation is bool:
        return "true | false"
    low, high = "(-inf", "inf)"
    for bound in field.metadata:
        match bound:
            case Ge():
                low = f"[{bound.ge}"
            case Gt():
                low = f"({bound.gt}"
            case Le():
                high = f"{bound.le}]"
            case Lt():
                high = f"{bound.lt})"
            case _:
                pass
    return f"{low}, {high}"


def _read_profile(profile: str, origins: dict[Keys, str]) -> dict[str, Any]:
    shipped = files("polybawt").joinpath("data", "profiles", f"{profile}.yaml")
    try:
        if "/" not in profile and shipped.is_file():
            text, where = shipped.read_text("utf-8"), f"profile {profile}"
        else:
            text, where = Path(profile).read_text("utf-8"), profile
    except UnicodeDecodeError:
        raise BadInput(f"profile {profile!r} is not UTF-8 text") from None
    except (OSError, ValueError) as error:
        names = sorted(
            f.name.removesuffix(".yaml")
            for f in files("polybawt").joinpath("data", "profiles").iterdir()
        )
        why = getattr(error, "strerror", None) or _first_line(error)
        raise BadInput(
            f"profile {profile!r}: {why}; give a file or one of: {', '.join(names)}"
        ) from None
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        tree = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date or number that is none
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        raise BadInput(f"{where}{line}: not valid YAML: {_first_line(error)}") from None
    except RecursionError:
        raise BadInput(f"{where}: nested too deeply") from None
    if tree is None:
        return {}
    if not isinstance(tree, dict) or not isinstance(node, yaml.MappingNode):
        raise BadInput(f"{where}: must be a mapping of sections, is a {type(tree).__name__}")
    _mark_lines(node, (), where, origins)
    return tree


def _mark_lines(node: yaml.MappingNode, path: Keys, where: str, origins: dict[Keys, str]) -> None:
    for key_node, value_node in node.value:
        keys = (*path, str(key_node.value))
        if len(keys) > KEYS_MAX:
            raise BadInput(f"{where} line {key_node.start_mark.line + 1}: nested too deeply")
        if keys in origins:
            raise BadInput(f"{where} line {key_node.start_mark.line + 1}: {'.'.join(keys)} twice")
        origins[keys] = f"{where} line {key_node.start_mark.line + 1}"
        if isinstance(value_node, yaml.MappingNode):
            _mark_lines(value_node, keys, where, origins)


def _overlay_environment(
    tree: dict[str, Any], origins: dict[Keys, str], environ: Mapping[str, str]
) -> None:
    for name in sorted(environ):
        if name.startswith(ENV_PREFIX):
            keys = tuple(part.lower() for part in name[len(ENV_PREFIX) :].split("__"))
            try:
                value = yaml.safe_load(environ[name])
            except (yaml.YAMLError, ValueError, RecursionError):
                raise BadInput(f"environment {name}: {environ[name]!r} is not a value") from None
            _put(tree, keys, value, origins, f"environment {name}")


def _put(
    tree: dict[str, Any], keys: Keys, value: Any, origins: dict[Keys, str], origin: str
) -> None:
    node = tree
    for key in keys[:-1]:
        child = node.setdefault(key, {})
        if not isinstance(child, dict):
            raise BadInput(f"{origin}: {'.'.join(keys)}: {key} is a value, not a section")
        node = child
    node[keys[-1]] = value
    origins[keys] = origin


def _validate(tree: dict[str, Any], origins: Mapping[Keys, str]) -> Config:
    tree = dict(tree)
    sections = tree.pop("strategies", None) or {}
    if not isinstance(sections, dict):
        where = _where(("strategies",), origins)
        raise BadInput(f"{where}strategies must be a mapping of names, is {sections!r}")
    known = plugins()
    for name in sections:
        if name not in known:
            where = _where(("strategies", str(name)), origins)
            raise BadInput(f"{where}unknown strategy {name!r}; known: {', '.join(known)}")
    settings = {
        name: _build(plugin.config, sections.get(name) or {}, ("strategies", name), origins)
        for name, plugin in known.items()
    }
    config = _build(Config, tree, (), origins)
    return config.model_copy(update={"strategies": settings})


def _build(model: type[M], values: Any, path: Keys, origins: Mapping[Keys, str]) -> M:
    _refuse_switches(model, values, path, origins)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        keys = (*path, *(str(part) for part in first["loc"]))
        others = error.error_count() - 1
        more = f" (and {others} more)" if others else ""
        raise BadInput(f"{_where(keys, origins)}{_explain(keys, first, model)}{more}") from None


def _refuse_switches(
    model: type[BaseModel], values: Any, path: Keys, origins: Mapping[Keys, str]
) -> None:
    """YAML reads yes, no, on and off as booleans, and a boolean would pass for 1 or 0."""
    for key, field in model.model_fields.items():
        value = values.get(key) if isinstance(values, Mapping) else None
        if isinstance(value, bool) and field.annotation is not bool:
            keys = (*path, key)
            allowed = _allowed(model, (key,))
            raise BadInput(
                f"{_where(keys, origins)}{'.'.join(keys)} is {value!r}, not a number{allowed}"
            )
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            _refuse_switches(field.annotation, value, (*path, key), origins)


def _where(keys: Keys, origins: Mapping[Keys, str]) -> str:
    """The origin of a key, of the section that holds it, or of what it holds."""
    for length in range(len(keys), 0, -1):
        if keys[:length] in origins:
            return f"{origins[keys[:length]]}: "
    within = (origin for own, origin in origins.items() if own[: len(keys)] == keys)
    return f"{next(within, 'configuration')}: "


def _explain(keys: Keys, error: Any, model: type[BaseModel]) -> str:
    """What is wrong, the allowed range, and what to do."""
    name, value = ".".join(keys), error["input"]
    if error["type"] == "extra_forbidden":
        return f"unknown key {name}; see `polybawt config` for every key"
    hint = ""
    if keys[-1].endswith("_fraction") or keys[-1].endswith("_tol"):
        hint = "; a fraction: write 0.02 for 2 %"
    elif keys[-1].endswith("_e4"):
        hint = "; in 10^-4 pUSD: write 500 for 0.05"
    message = error["msg"][0].lower() + error["msg"][1:]
    return f"{name} is {value!r}: {message}{_allowed(model, error['loc'])}{hint}"


def _allowed(model: type[BaseModel], loc: tuple[int | str, ...]) -> str:
    """The whole range of a number, empty for what has none."""
    metadata: list[Any] = []
    for part in loc:
        field = model.model_fields.get(str(part))
        if field is None:
            return ""
        metadata = field.metadata
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            model = field.annotation
    words = [
        f"{word} {getattr(bound, name)}"
        for name, word in (("ge", "from"), ("gt", "above"), ("le", "up to"), ("lt", "below"))
        for bound in metadata
        if getattr(bound, name, None) is not None
    ]
    return f" (allowed: {' '.join(words)})" if words else ""


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
