"""What every test gets: no network, reproducible examples, the skip list, the shared recordings."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import network

pytest_plugins = ["tests.skiplist"]

network.forbid_outside()

# `ci` tries the same examples on every run, so that a red run means a change; `dev` explores.
# Neither has a deadline: a busy machine is not a failing property.
settings.register_profile(
    "ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("dev", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


@pytest.fixture(scope="session")
def repo_dir() -> Path:
    """The root of the checkout."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_dir(repo_dir: Path) -> Path:
    """The folder of shared recordings and specifications, read-only; skips where there is none.

    It lies beside the checkout as `shared/`, or where POLYBAWT_SHARED says:

        def test_every_recording_replays(shared_dir: Path) -> None:
            books = shared_dir / "data" / "pm15m-btc-l2-top20" / "books.parquet"
    """
    folder = Path(os.environ.get("POLYBAWT_SHARED", repo_dir.parent / "shared"))
    if not folder.is_dir():
        pytest.skip("shared data not present")
    return folder
