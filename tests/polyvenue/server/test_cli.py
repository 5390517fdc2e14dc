"""The command: one line when ready, one line when wrong, a clean end."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from polyvenue.cli import main


@pytest.fixture
def environ(repo_dir: Path) -> dict[str, str]:
    """The environment of a child that imports this checkout."""
    return {**os.environ, "PYTHONPATH": str(repo_dir / "src")}


def test_serve_prints_one_json_line_and_ends_on_sigterm(environ: dict[str, str]) -> None:
    command = [sys.executable, "-c", "import sys; from polyvenue.cli import main; sys.exit(main())"]
    child = subprocess.Popen(
        [*command, "serve", "--seed", "7", "--speed", "2", "--assets", "btc", "--json"],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdout is not None
        ready = json.loads(child.stdout.readline())
        child.send_signal(signal.SIGTERM)
        rest, wrong = child.communicate(timeout=10)
    assert (child.returncode, rest, wrong) == (0, "", "")
    names = ["clob", "gamma", "data", "relayer", "rpc", "geoblock", "ws_market", "ws_user"]
    names += ["polybolt", "binance", "control", "control_token", "seed"]
    assert list(ready) == names
    assert ready["seed"] == 7
    assert ready["clob"].startswith("http://127.0.0.1:")
    assert ready["ws_user"].startswith("ws://127.0.0.1:")
    assert len(ready["control_token"]) >= 32


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["serve", "--port", "70000"], "--port 70000"),
        (["serve", "--speed", "-1"], "--speed -1"),
        (["serve", "--assets", "btc,nope"], "nope"),
        (["serve", "--windows", "60,61"], "61"),
        (["serve", "--windows", "x"], "--windows x"),
        (["serve", "--host", "0.0.0.0"], "0.0.0.0"),
        (["serve", "--host", "example.org"], "example.org"),
        (["serve", "--nonsense"], "--nonsense"),
        ([], "command"),
        (
            ["account", "new", "--control", "http://127.0.0.1:9", "--token", "t"],
            "cannot be reached",
        ),
        (["account", "new", "--control", "ftp://x", "--token", "t"], "ftp://x"),
    ],
)
def test_a_wrong_option_is_one_line_and_exit_code_2(
    options: list[str], names: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(options) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert names in printed.err


def test_a_port_in_use_is_one_line_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 2
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert f"port {port}" in printed.err
