"""scripts/bootstrap with a fake interpreter: trouble is one clean line, nothing half-done is used.

The fake stands in for Python and pip, so that no test needs a network or more than a second.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

# What the script asks of an interpreter, answered from the environment. `-m venv DIR` copies the
# fake into DIR; `-m pip` notes its arguments, says FAKE_PIP_SAYS, waits, and exits as told.
FAKE_PYTHON = r"""#!/bin/sh
case "$*" in
    *'"%d.%d"'*) echo "${FAKE_VERSION:-3.11}" ;;
    *'sys.version_info < '*) [ "${FAKE_VERSION:-3.11}" != 3.9 ] ;;
    *'import ensurepip'*) [ -z "${FAKE_LACKS_ENSUREPIP:-}" ] ;;
    *fcntl*) exec python3 "$@" ;;
    '-m venv '*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    *'-m pip '*)
        echo "$*" >>"$FAKE_CALLS"
        printf '%b' "${FAKE_PIP_SAYS:-Collecting a\nInstalling collected packages: a\n}"
        sleep "${FAKE_PIP_SLEEPS:-0}"
        exit "${FAKE_PIP_EXITS:-0}" ;;
    *) exit 99 ;;
esac
"""


class Checkout:
    """A small checkout: the script, locks, and the fake interpreter first on PATH as `python3`."""

    def __init__(self, folder: Path, script: Path) -> None:
        self.root = folder / "poly bawt"
        self.calls = folder / "calls"
        self.venv = self.root / ".venv"
        self.log = self.root / ".venv.log"
        for name in ("scripts", "locks", "bin"):
            (self.root / name).mkdir(parents=True)
        shutil.copy(script, self.root / "scripts" / "bootstrap")
        for level in ("run", "test"):
            self.write_lock(level, "a==1")
        (self.root / "pyproject.toml").write_text("", "utf-8")
        self.fake = self.root / "bin" / "fakepython"
        self.fake.write_text(FAKE_PYTHON, "utf-8")
        self.fake.chmod(0o755)
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHON": str(self.fake),
            "FAKE_CALLS": str(self.calls),
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder),
        }

    def write_lock(self, level: str, text: str) -> None:
        (self.root / "locks" / f"{level}.txt").write_text(text + "\n", "utf-8")

    def start(self, level: str = "run", **environment: str) -> subprocess.Popen[str]:
        """Start the script in a process group of its own, as a terminal would."""
        return subprocess.Popen(
            [str(self.root / "scripts" / "bootstrap"), level, 'echo "done in $OUT_DIR"'],
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, level: str = "run", **environment: str) -> tuple[int, str, list[str]]:
        """Exit code, standard output, and what was said on standard error, line by line."""
        process = self.start(level, **environment)
        out, err = process.communicate(timeout=30)
        return process.returncode, out, err.splitlines()

    def pip_calls(self) -> list[str]:
        """The arguments of every call of pip so far."""
        return self.calls.read_text("utf-8").splitlines() if self.calls.exists() else []


@pytest.fixture
def checkout(tmp_path: Path, repo_dir: Path) -> Checkout:
    return Checkout(tmp_path, repo_dir / "scripts" / "bootstrap")


def test_the_first_run_installs_and_the_second_does_not(checkout: Checkout) -> None:
    code, out, err = checkout.run()
    assert (code, out) == (0, "done in out\n")
    assert err[0] == "polybawt: installing 1 packages, once"
    assert err[1].startswith("polybawt: installed in ")
    assert " MB in " in err[1]
    assert checkout.run() == (0, "done in out\n", [])
    first, second = checkout.pip_calls()
    assert "--require-hashes --only-binary :all: -r locks/run.txt" in first
    assert "--no-index --no-build-isolation --no-deps -e ." in second


def test_arguments_reach_the_command(checkout: Checkout) -> None:
    assert checkout.run(ARGS="'a  b'; echo c")[1] == "done in out a  b\nc\n"


def test_a_changed_lock_is_installed_from_scratch(checkout: Checkout) -> None:
    checkout.run()
    (checkout.venv / "left").touch()
    checkout.write_lock("run", "a==2")
    assert checkout.run()[0] == 0
    assert not (checkout.venv / "left").exists()


def test_a_changed_project_file_installs_the_project_only(checkout: Checkout) -> None:
    checkout.run()
    (checkout.root / "pyproject.toml").write_text("# new\n", "utf-8")
    assert checkout.run()[0] == 0
    assert len(checkout.pip_calls()) == 3


def test_the_test_lock_goes_on_top_of_the_run_lock_and_serves_both(checkout: Checkout) -> None:
    checkout.run("run")
    (checkout.venv / "kept").touch()
    assert checkout.run("test")[0] == 0
    assert (checkout.venv / "kept").exists()
    calls = checkout.pip_calls()
    assert checkout.run("run")[2] == []
    assert checkout.pip_calls() == calls


def test_a_moved_checkout_is_installed_again(checkout: Checkout, tmp_path: Path) -> None:
    checkout.run()
    checkout.root = checkout.root.rename(tmp_path / "elsewhere")
    checkout.environment["PYTHON"] = str(checkout.root / "bin" / "fakepython")
    assert checkout.run()[2] != []


def test_another_interpreter_is_installed_again(checkout: Checkout) -> None:
    checkout.run()
    other = checkout.root / "bin" / "other"
    shutil.copy(checkout.fake, other)
    assert checkout.run(PYTHON=str(other))[2] != []
    assert checkout.run(PYTHON="")[2] == []


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"FAKE_VERSION": "3.9"}, "Python 3.11 or newer is needed and {python} is 3.9"),
        ({"PYTHON": "/nonexistent/python"}, "/nonexistent/python is not to be run"),
        ({"FAKE_LACKS_ENSUREPIP": "1"}, "lacks venv or ensurepip (apt install python3-venv)"),
    ],
)
def test_an_unfit_interpreter_is_one_line(
    checkout: Checkout, environment: dict[str, str], words: str
) -> None:
    code, out, err = checkout.run(**environment)
    assert (code, out) == (1, "")
    (line,) = err
    assert words.format(python=checkout.fake) in line
    assert "make run PYTHON=" in line
    assert not checkout.venv.exists()


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ("WARNING: NewConnectionError\n" * 9 + "ERROR: none\n", "index cannot be reached"),
        ("ERROR: no version (from versions: none)\n", "index cannot be reached"),
        ("OSError: No space left on device\n", "disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES\n", "pip failed: ERROR: THESE PACKAGES"),
    ],
)
def test_a_failing_pip_is_one_line_and_a_log(checkout: Checkout, says: str, words: str) -> None:
    code, out, err = checkout.run(FAKE_PIP_SAYS=says, FAKE_PIP_EXITS="1")
    assert (code, out) == (1, "")
    _, line = err
    assert words in line
    assert line.endswith(f"(details: {checkout.log})")
    assert says.splitlines()[0] in checkout.log.read_text("utf-8")
    assert checkout.run()[0] == 0


def test_a_wheels_folder_replaces_the_index(checkout: Checkout) -> None:
    wheels = checkout.root / "wheels"
    wheels.mkdir()
    (wheels / "a-1-py3-none-any.whl").touch()
    assert checkout.run()[0] == 0
    assert f"--no-index --find-links {wheels}" in checkout.pip_calls()[0]


def test_a_wheels_folder_that_lacks_one_is_named(checkout: Checkout) -> None:
    (checkout.root / "wheels").mkdir()
    (checkout.root / "wheels" / "b-1-py3-none-any.whl").touch()
    _, _, err = checkout.run(FAKE_PIP_SAYS="(from versions: none)\n", FAKE_PIP_EXITS="1")
    assert "wheels/ does not hold all of locks/run.txt" in err[-1]


def wait_for_pip(checkout: Checkout) -> None:
    deadline = time.monotonic() + 10
    while not checkout.pip_calls():
        assert time.monotonic() < deadline, "pip was never called"
        time.sleep(0.01)


def press_ctrl_c(process: subprocess.Popen[str]) -> tuple[str, str]:
    """Interrupt until it ends: a signal between fork and exec of a child reaches neither."""
    for _ in range(10):
        os.killpg(process.pid, signal.SIGINT)
        try:
            return process.communicate(timeout=2)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError("ten interrupts did not end it")


def test_an_interrupted_install_is_one_line_and_never_used(checkout: Checkout) -> None:
    process = checkout.start(FAKE_PIP_SLEEPS="20")
    wait_for_pip(checkout)
    (checkout.venv / "half").touch()
    _, err = press_ctrl_c(process)
    assert process.returncode == 130
    assert err.splitlines()[1:] == ["polybawt: interrupted; the same command starts over"]
    assert not (checkout.venv / ".installed").exists()
    assert checkout.run()[0] == 0
    assert not (checkout.venv / "half").exists()


def test_a_second_run_waits_for_the_first_and_does_not_install(checkout: Checkout) -> None:
    first = checkout.start(FAKE_PIP_SLEEPS="0.5")
    wait_for_pip(checkout)
    code, out, err = checkout.run()
    assert (code, out) == (0, "done in out\n")
    assert err == ["polybawt: another install is under way; waiting for it"]
    first.communicate(timeout=10)
    assert first.returncode == 0
    assert len(checkout.pip_calls()) == 2


@pytest.fixture
def read_only(repo_dir: Path) -> Iterator[Checkout]:
    """A checkout that its user cannot write, in a folder that this user can reach."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        checkout = Checkout(folder, repo_dir / "scripts" / "bootstrap")
        (folder / "home").mkdir()
        checkout.calls.touch()
        for path in (folder, folder / "home", checkout.calls):
            path.chmod(0o777)
        checkout.root.chmod(0o555)
        yield checkout
        checkout.root.chmod(0o755)


def run_unprivileged(checkout: Checkout, **environment: str) -> tuple[int, str, list[str]]:
    """Run the script as a user for whom modes count: root may write anywhere."""
    done = subprocess.run(
        [str(checkout.root / "scripts" / "bootstrap"), "run", 'echo "done in $OUT_DIR"'],
        env={**checkout.environment, "PATH": "/usr/bin:/bin", **environment},
        user=65534 if os.geteuid() == 0 else None,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr.splitlines()


def test_a_read_only_checkout_runs_from_the_cache(read_only: Checkout) -> None:
    code, out, err = run_unprivileged(read_only)
    assert code == 0, err
    assert out.startswith(f"done in {read_only.environment['HOME']}/.cache/polybawt/")
    assert run_unprivileged(read_only) == (0, out, [])


def test_without_any_folder_to_write_it_says_so_in_one_line(read_only: Checkout) -> None:
    code, out, err = run_unprivileged(read_only, HOME="/nonexistent", TMPDIR="/nonexistent")
    assert (code, out) == (1, "")
    (line,) = err
    assert "is read-only" in line
    assert "XDG_CACHE_HOME" in line
