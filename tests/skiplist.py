"""A pytest plugin: under `--strict-skips`, or with CI set, a skip must be on a list.

`tests/skips.txt` holds one allowed reason per line; `*` stands for any text and `#` starts a
comment. A skipped test whose reason matches no line fails the run, which names each.
"""

import os
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

_seen: pytest.StashKey[dict[str, str]] = pytest.StashKey()


def read_allowed(path: Path) -> list[str]:
    """The patterns of a skip list; a missing file allows nothing."""
    if not path.exists():
        return []
    lines = (line.partition("#")[0].strip() for line in path.read_text("utf-8").splitlines())
    return [line for line in lines if line]


def is_allowed(reason: str, allowed: Iterable[str]) -> bool:
    """True when one of the patterns matches the whole reason."""
    return any(fnmatchcase(reason, pattern) for pattern in allowed)


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str | None:
    if not report.skipped or hasattr(report, "wasxfail"):
        return None
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


class _Collector:
    def __init__(self, seen: dict[str, str]) -> None:
        self._seen = seen

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        reason = _reason(report)
        if reason is not None:
            self._seen[report.nodeid] = reason


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--strict-skips",
        action="store_true",
        default=bool(os.environ.get("CI")),
        help="fail on a skip whose reason is not in tests/skips.txt (default when CI is set)",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_seen] = {}
    config.pluginmanager.register(_Collector(config.stash[_seen]))


def _unlisted(config: pytest.Config) -> dict[str, str]:
    # An xdist worker only forwards its reports: its controller judges them.
    if hasattr(config, "workerinput") or not config.getoption("--strict-skips"):
        return {}
    allowed = read_allowed(config.rootpath / "tests" / "skips.txt")
    return {node: why for node, why in config.stash[_seen].items() if not is_allowed(why, allowed)}


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    passed = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    if passed and _unlisted(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    unlisted = _unlisted(config)
    if unlisted:
        terminalreporter.section("skips not listed in tests/skips.txt", red=True)
        for node, why in sorted(unlisted.items()):
            terminalreporter.line(f"{node}: {why}")
