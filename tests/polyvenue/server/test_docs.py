"""The programs and tables of docs/polyvenue.md are true."""

import asyncio
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from polyvenue.server.config import VenueConfig
from polyvenue.signing.wallets import WalletKind
from tests.polyvenue.server.running import running


@pytest.fixture(scope="module")
def text(repo_dir: Path) -> str:
    return (repo_dir / "docs" / "polyvenue.md").read_text()


def program(text: str, heading: str) -> Any:
    """The function `main` of the first program below a heading."""
    code = text.split(heading, 1)[1].split("```python\n", 1)[1].split("```", 1)[0]
    names: dict[str, Any] = {}
    exec(compile(code, heading, "exec"), names)
    return names["main"]


@pytest.mark.parametrize("kind", [WalletKind.EOA, WalletKind.DEPOSIT])
def test_the_program_of_the_official_sdk_trades(text: str, kind: WalletKind) -> None:
    async def scenario() -> None:
        async with running() as at:
            account = at.venue.new_account(kind, 100_000_000).describe()
            ready = msgspec.structs.asdict(at.at)
            slug = at.market().window.slug
            assert await program(text, "## The official SDK")(ready, account, slug) == "live"

    asyncio.run(scenario())


def test_the_program_of_py_clob_client_trades(text: str) -> None:
    pytest.importorskip("py_clob_client_v2", reason="py-clob-client-v2 not installed")

    async def scenario() -> None:
        async with running() as at:
            account = at.venue.new_account(WalletKind.EOA, 100_000_000).describe()
            ready = msgspec.structs.asdict(at.at)
            token_id = at.market().window.token_ids[0]
            main = program(text, "## py-clob-client-v2")
            assert await asyncio.to_thread(main, ready, account, token_id) == "live"

    asyncio.run(scenario())


def test_every_switch_is_documented_and_every_documented_one_exists(text: str) -> None:
    table = text.split("## Guessed", 1)[1].split("\n## ", 1)[0]
    rows = [line.split("|")[3] for line in table.splitlines() if line.startswith("| ")]
    named = {name for row in rows for name in re.findall(r"`([a-z_]+)", row)}
    plain = {"seed", "assets", "windows_s", "ahead", "speed", "queue_max"}
    fields = set(VenueConfig.__struct_fields__)
    assert fields - plain <= named
    exchange = set(re.findall(r"`exchange\.([a-z_]+)", table))
    assert exchange <= set(VenueConfig().exchange.__struct_fields__)
