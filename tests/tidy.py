"""House rules as functions: each takes one source file and yields what is wrong with it.

tests/test_tidy.py runs them over the repository and shows on a bad sample that each one bites.
ruff, mypy and import-linter check what they can; here is what they cannot.
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 400
COLUMNS_MAX = 100

CORE = {
    "domain",
    "engine",
    "execution",
    "invariants",
    "portfolio",
    "ports",
    "risk",
    "signals",
    "state",
    "strategies",
}

# Words that hide what a thing is, and words for which the glossary has a better one.
VAGUE = {"common", "helper", "helpers", "manager", "misc", "util", "utils"}
NOT_OURS = {
    "basket": "pair",
    "burn": "merge",
    "claim": "redeem",
    "deny": "refuse",
    "mint": "split",
    "simulator": "polyvenue or fill model",
}

# Written in pieces, so that this file does not break its own rules.
_MARKERS = re.compile(
    r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]) + r")\b"
)
_HOSTS = re.compile(
    "|".join(
        [
            "py" + r"pi\.org",
            "python" + r"hosted\.org",
            "npm" + r"js\.(org|com)",
            "debian" + r"\.org",
        ]
    )
)
_MACHINE_PATHS = re.compile(
    r"(?<![\w.~$}/-])/("
    + "|".join(["wo" + "rk", "ro" + "ot", "ho" + "me", "Us" + "ers", "tmp/" + "wt"])
    + r")/\w"
)
_IGNORES = re.compile(r"#\s*(noqa|type:\s*ignore)(?P<code>:\s*[A-Z]+\d+|\[[\w, -]+\])?(?P<rest>.*)")


@dataclass(frozen=True)
class Source:
    """One text file of the repository, by its path from the root."""

    path: PurePosixPath
    text: str

    @property
    def is_python(self) -> bool:
        """True for Python source."""
        return self.path.suffix == ".py"

    @property
    def is_product(self) -> bool:
        """True for the Python of the distribution."""
        return self.is_python and self.path.parts[0] == "src"

    @property
    def is_core(self) -> bool:
        """True for the pure core, where the same input must give the same bits."""
        parts = self.path.with_suffix("").parts
        return self.is_python and parts[:2] == ("src", "polybawt") and parts[2] in CORE

    @property
    def is_generated(self) -> bool:
        """True for what a tool writes."""
        return self.path.parts[0] == "locks" and self.path.suffix == ".txt"

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree of Python source."""
        return ast.parse(self.text, str(self.path))

    @cached_property
    def definitions(self) -> list[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
        """Every class and function, nested ones too."""
        kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        return [node for node in ast.walk(self.tree) if isinstance(node, kinds)]


Rule = Callable[[Source], Iterator[str]]


def names_no_registry_host(source: Source) -> Iterator[str]:
    """Where packages come from is the user's setting, not ours."""
    for number, line in enumerate(source.text.splitlines(), 1):
        if _HOSTS.search(line):
            yield f"line {number}: names a package registry's host"


def names_no_machine_path(source: Source) -> Iterator[str]:
    """A path of one machine means nothing on another."""
    for number, line in enumerate(source.text.splitlines(), 1):
        if _MACHINE_PATHS.search(line):
            yield f"line {number}: names an absolute path of one machine"


def leaves_no_marker(source: Source) -> Iterator[str]:
    """Unfinished work is an issue with an owner, not a comment."""
    if source.is_generated or source.path.suffix == ".json":
        return
    for number, line in enumerate(source.text.splitlines(), 1):
        if found := _MARKERS.search(line):
            yield f"line {number}: {found[0]} left in the code"


def keeps_to_the_columns(source: Source) -> Iterator[str]:
    """Two files fit side by side. Tables and prose in Markdown, data and locks are free."""
    if source.is_generated or source.path.suffix in {".md", ".json", ".jsonl", ".csv", ".txt"}:
        return
    for number, line in enumerate(source.text.splitlines(), 1):
        if len(line) > COLUMNS_MAX:
            yield f"line {number}: {len(line)} columns, at most {COLUMNS_MAX}"


def justifies_each_ignore(source: Source) -> Iterator[str]:
    """An ignored check names its code, and says why in words: `noqa: B010 (why)`."""
    if not source.is_python:
        return
    for number, line in enumerate(source.text.splitlines(), 1):
        found = _IGNORES.search(line)
        if found and (not found["code"] or not re.search(r"[a-z]{3}", found["rest"])):
            yield f"line {number}: an ignore needs its code and a reason"


def documents_what_is_public(source: Source) -> Iterator[str]:
    """A docstring is a contract: each public module, class and function of a module has one."""
    if not source.is_product:
        return
    if not ast.get_docstring(source.tree):
        yield "the module has no docstring"
    for node in source.tree.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if not node.name.startswith("_") and not ast.get_docstring(node):
            yield f"line {node.lineno}: {node.name} has no docstring"


def keeps_functions_short(source: Source) -> Iterator[str]:
    """A function that outgrows a screen holds two ideas."""
    if not source.is_python:
        return
    for node in source.definitions:
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if not isinstance(node, ast.ClassDef) and lines > FUNCTION_LINES_MAX:
            yield f"line {node.lineno}: {node.name} has {lines} lines, at most {FUNCTION_LINES_MAX}"


def keeps_files_short(source: Source) -> Iterator[str]:
    """One idea per file."""
    lines = source.text.count("\n")
    if source.is_product and lines > FILE_LINES_MAX:
        yield f"{lines} lines, at most {FILE_LINES_MAX}"


def _words(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)]


def speaks_our_words(source: Source) -> Iterator[str]:
    """One word per idea (the glossary): in the names of modules, classes and functions."""
    if not source.is_product:
        return
    named = [(1, part) for part in source.path.with_suffix("").parts[1:]]
    named += [(node.lineno, node.name) for node in source.definitions]
    for line, name in named:
        words = _words(name)
        for word in words:
            if word in VAGUE:
                yield f"line {line}: {name}: {word!r} says nothing; name what it does"
            elif word in NOT_OURS:
                yield f"line {line}: {name}: we say {NOT_OURS[word]!r}, not {word!r}"
        if words == ["trade"]:
            yield f"line {line}: {name}: say order, fill or print; 'trade' alone is none of them"


def catches_no_blanket_exception(source: Source) -> Iterator[str]:
    """Errors are handled by consequence; a blanket catch hides programmer errors."""
    if not source.is_product:
        return
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        for kind in kinds:
            if kind is None or (
                isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"}
            ):
                yield f"line {node.lineno}: catches everything; name the exception"


def _is_set(node: ast.expr) -> bool:
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    called = node.func if isinstance(node, ast.Call) else None
    return isinstance(called, ast.Name) and called.id in {"set", "frozenset"}


def decides_by_no_accident(source: Source) -> Iterator[str]:
    """In the core no order comes from hashes or object ids: a replay must give the same bits."""
    if not source.is_core:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in {"id", "hash"}:
                yield f"line {node.lineno}: {node.func.id}() differs from run to run"
        elif isinstance(node, ast.For | ast.comprehension) and _is_set(node.iter):
            yield f"line {node.iter.lineno}: the order of a set differs from run to run; sort it"


RULES: tuple[Rule, ...] = (
    names_no_registry_host,
    names_no_machine_path,
    leaves_no_marker,
    keeps_to_the_columns,
    justifies_each_ignore,
    documents_what_is_public,
    keeps_functions_short,
    keeps_files_short,
    speaks_our_words,
    catches_no_blanket_exception,
    decides_by_no_accident,
)
