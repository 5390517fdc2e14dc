"""A skip that nobody agreed to turns CI red."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.skiplist import is_allowed, read_allowed

SKIPPING = """
import pytest

def test_runs():
    pass

def test_is_left_out():
    pytest.skip("no venue here")

@pytest.mark.xfail(strict=True, reason="known")
def test_is_expected_to_fail():
    assert False
"""


def run_pytest(folder: Path, repo_dir: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run pytest with the plugin on a small suite of its own."""
    (folder / "tests").mkdir(exist_ok=True)
    (folder / "tests" / "test_small.py").write_text(SKIPPING, "utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", "utf-8")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    environment.pop("CI", None)
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "tests.skiplist",
            "-p",
            "no:cacheprovider",
            *options,
        ],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(repo_dir)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("workers", ["0", "1"])
def test_an_unlisted_skip_fails_a_strict_run(tmp_path: Path, repo_dir: Path, workers: str) -> None:
    done = run_pytest(tmp_path, repo_dir, "--strict-skips", "-n", workers)
    assert done.returncode == 1
    assert "skips not listed" in done.stdout
    assert "test_is_left_out: no venue here" in done.stdout
    assert "test_is_expected_to_fail:" not in done.stdout


def test_a_listed_skip_passes_a_strict_run(tmp_path: Path, repo_dir: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "skips.txt").write_text("no venue *  # agreed\n", "utf-8")
    assert run_pytest(tmp_path, repo_dir, "--strict-skips").returncode == 0


def test_a_skip_passes_a_run_that_is_not_strict(tmp_path: Path, repo_dir: Path) -> None:
    assert run_pytest(tmp_path, repo_dir).returncode == 0


def test_comments_and_empty_lines_allow_nothing(tmp_path: Path) -> None:
    path = tmp_path / "skips.txt"
    path.write_text("# why\n\nno key  # for now\n", "utf-8")
    assert read_allowed(path) == ["no key"]
    assert read_allowed(tmp_path / "absent.txt") == []


def test_a_pattern_must_match_the_whole_reason() -> None:
    assert is_allowed("no key", ["no key"])
    assert is_allowed("no key for 3", ["no key for *"])
    assert not is_allowed("no key for 3", ["no key"])
