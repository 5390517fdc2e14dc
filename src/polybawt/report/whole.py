"""Writes a result whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from polybawt.domain.errors import BadInput


def write_whole(path: Path, data: bytes) -> int:
    """Put `data` in its place in one move; its size. BadInput if it cannot be written."""
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            temporary = Path(file.name)
            file.write(data)
        # Temporary files are private; a report is as readable as any other new file.
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        temporary.replace(path)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        reason = error.strerror or str(error)
        raise BadInput(
            f"report {path}: cannot be written ({reason}); "
            "give --report a file in an existing, writable folder"
        ) from error
    return len(data)
