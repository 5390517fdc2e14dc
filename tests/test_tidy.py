"""The repository obeys the house rules of tests/tidy.py, and each rule bites."""

import re
import subprocess
import tomllib
from pathlib import Path, PurePosixPath

import pytest

from tests import tidy
from tests.tidy import RULES, Rule, Source

# (rule, file): why this file may break this rule. One that is no longer needed fails too.
EXEMPT: dict[tuple[str, str], str] = {
    ("catches_no_blanket_exception", "src/polybawt/engine.py"): (
        "the one quarantine around a strategy"
    ),
    ("keeps_files_short", "src/polybawt/portfolio/ledger.py"): (
        "one owner of cash and holdings; what is pure is in other files already"
    ),
}

LEFT_OUT = {".git", ".venv", ".venv-bench", "out", "wheels", "__pycache__"}


def list_paths(root: Path) -> list[Path]:
    """Every file that is or will be in the repository; without git, every file but what we make."""
    done = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return [root / name for name in done.stdout.split("\0") if name and (root / name).is_file()]
    return [
        path
        for path in root.rglob("*")
        if path.is_file() and not LEFT_OUT & set(path.relative_to(root).parts)
    ]


def read_sources(root: Path) -> list[Source]:
    """The text files of the repository; binary ones are left out."""
    sources = []
    for path in sorted(list_paths(root)):
        data = path.read_bytes()
        if b"\0" not in data[:8000]:
            name = PurePosixPath(path.relative_to(root).as_posix())
            sources.append(Source(name, data.decode("utf-8", "replace")))
    return sources


@pytest.fixture(scope="session")
def sources(repo_dir: Path) -> list[Source]:
    return read_sources(repo_dir)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_repository_obeys(rule: Rule, sources: list[Source]) -> None:
    found = {str(source.path): problems for source in sources if (problems := list(rule(source)))}
    exempt = {path for name, path in EXEMPT if name == rule.__name__}
    assert {path: problems for path, problems in found.items() if path not in exempt} == {}
    assert exempt <= found.keys(), "an exemption that is no longer needed"


DOCUMENTED = '"""Module."""\n\n\n'
CORE = "src/polybawt/engine.py"

BAD = [
    (tidy.names_no_registry_host, "README.md", "from https://py" + "pi.org/simple\n"),
    (tidy.names_no_machine_path, "docs/a.md", "look in /ho" + "me/me/data\n"),
    (tidy.names_no_machine_path, "Makefile", 'X = "/wo' + 'rk/main"\n'),
    (tidy.leaves_no_marker, "scripts/a", "# TO" + "DO: later\n"),
    (tidy.keeps_to_the_columns, "scripts/a", "x" * 101 + "\n"),
    (tidy.justifies_each_ignore, "src/polybawt/a.py", "x = 1  # no" + "qa\n"),
    (tidy.justifies_each_ignore, "src/polybawt/a.py", "x = 1  # no" + "qa: B010\n"),
    (tidy.justifies_each_ignore, "src/polybawt/a.py", "x = 1  # type: ig" + "nore[arg-type]\n"),
    (tidy.documents_what_is_public, "src/polybawt/a.py", "x = 1\n"),
    (tidy.documents_what_is_public, "src/polybawt/a.py", DOCUMENTED + "def f() -> None: ...\n"),
    (tidy.documents_what_is_public, "src/polybawt/a.py", DOCUMENTED + "class A: ...\n"),
    (tidy.keeps_functions_short, "src/polybawt/a.py", "def f():\n" + "    x = 1\n" * 60),
    (tidy.keeps_files_short, "src/polybawt/a.py", "x = 1\n" * 401),
    (tidy.speaks_our_words, "src/polybawt/utils.py", "x = 1\n"),
    (tidy.speaks_our_words, "src/polybawt/a.py", "class OrderManager: ...\n"),
    (tidy.speaks_our_words, "src/polybawt/a.py", "def claim_all(): ...\n"),
    (tidy.speaks_our_words, "src/polybawt/a.py", "class Trade: ...\n"),
    (tidy.catches_no_blanket_exception, CORE, "try:\n    f()\nexcept Exception:\n    pass\n"),
    (tidy.catches_no_blanket_exception, CORE, "try:\n    f()\nexcept:\n    pass\n"),
    (
        tidy.catches_no_blanket_exception,
        CORE,
        "try:\n    f()\nexcept (OSError, Exception):\n    g()\n",
    ),
    (tidy.decides_by_no_accident, CORE, "key = hash(x)\n"),
    (tidy.decides_by_no_accident, "src/polybawt/risk/a.py", "x.sort(key=lambda y: id(y))\n"),
    (tidy.decides_by_no_accident, CORE, "for x in set(y):\n    f(x)\n"),
    (tidy.decides_by_no_accident, CORE, "z = [f(x) for x in {1, 2}]\n"),
]

GOOD = [
    (
        tidy.names_no_machine_path,
        "scripts/a",
        "$base/ho" + "me/x and ../wo" + "rk/x and ~/ro" + "ot/x\n",
    ),
    (tidy.leaves_no_marker, "scripts/a", "# the todo list of a person\n"),
    (tidy.keeps_to_the_columns, "docs/a.md", "| " + "x" * 200 + " |\n"),
    (tidy.justifies_each_ignore, "src/polybawt/a.py", "x = 1  # no" + "qa: B010 (mypy wants it)\n"),
    (tidy.documents_what_is_public, "src/polybawt/a.py", DOCUMENTED + "def _f() -> None: ...\n"),
    (tidy.documents_what_is_public, "tests/a.py", "x = 1\n"),
    (tidy.keeps_functions_short, "src/polybawt/a.py", "def f():\n" + "    x = 1\n" * 59),
    (tidy.speaks_our_words, "src/polybawt/a.py", "class TradePrinted: ...\n"),
    (tidy.catches_no_blanket_exception, CORE, "try:\n    f()\nexcept ValueError:\n    g()\n"),
    (tidy.decides_by_no_accident, CORE, "for x in sorted(set(y)):\n    f(x)\n"),
    (tidy.decides_by_no_accident, "src/polybawt/cli.py", "key = hash(x)\n"),
]


@pytest.mark.parametrize(("rule", "name", "text"), BAD)
def test_a_rule_bites(tmp_path: Path, rule: Rule, name: str, text: str) -> None:
    (source,) = written(tmp_path, name, text)
    assert list(rule(source))


@pytest.mark.parametrize(("rule", "name", "text"), GOOD)
def test_a_rule_lets_good_code_pass(tmp_path: Path, rule: Rule, name: str, text: str) -> None:
    (source,) = written(tmp_path, name, text)
    assert list(rule(source)) == []


def written(folder: Path, name: str, text: str) -> list[Source]:
    """Write one file into an empty folder and read it as the repository's files are read."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return read_sources(folder)


def test_every_rule_has_a_bad_sample() -> None:
    assert {rule for rule, _, _ in BAD} == set(RULES)


def read_requirements(text: str) -> set[str]:
    """The requirement lines of a locks/*.in file."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return {line for line in lines if line and not line.startswith("-")}


def test_the_project_and_the_run_lock_name_the_same_packages(repo_dir: Path) -> None:
    project = tomllib.loads((repo_dir / "pyproject.toml").read_text("utf-8"))
    needed = set(project["project"]["dependencies"]) | set(project["build-system"]["requires"])
    assert read_requirements((repo_dir / "locks" / "run.in").read_text("utf-8")) == needed


@pytest.mark.parametrize("name", ["run", "test", "peers"])
def test_a_lock_pins_and_hashes_everything(repo_dir: Path, name: str) -> None:
    text = (repo_dir / "locks" / f"{name}.txt").read_text("utf-8")
    assert "://" not in text
    for block in re.split(r"\n(?=\S)", text):
        if not block.startswith("#"):
            assert re.match(r"[a-z0-9-]+==\S+", block), block
            assert "--hash=sha256:" in block, block


@pytest.mark.parametrize("name", ["test", "peers"])
def test_the_other_locks_hold_the_run_lock(repo_dir: Path, name: str) -> None:
    def pins(of: str) -> set[str]:
        text = (repo_dir / "locks" / f"{of}.txt").read_text("utf-8")
        return set(re.findall(r"^[a-z0-9-]+==[^\s;]+", text, re.MULTILINE))

    assert pins("run") <= pins(name)
