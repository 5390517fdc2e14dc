"""The package has no clock, no chance but hashes, no IO, and nothing of the bot."""

import ast
from pathlib import Path

ALLOWED = {
    *("base64", "collections", "collections.abc", "dataclasses", "datetime", "functools"),
    *("enum", "hashlib", "heapq", "json", "math", "msgspec", "typing"),
}


def test_the_package_imports_only_what_is_pure(repo_dir: Path) -> None:
    files = sorted((repo_dir / "src" / "polyvenue" / "market_data").glob("*.py"))
    assert len(files) > 10
    for file in files:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                ours = name.startswith("polyvenue.market_data.")
                assert ours or name in ALLOWED, f"{file.name} imports {name}"
