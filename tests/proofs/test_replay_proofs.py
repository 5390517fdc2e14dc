"""Standing proofs of the core: what a run may depend on, and what it may not."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from polybawt.domain import events as ev
from tests.proofs.replays import SAMPLE, Played, deeds, exchanged, play, sample
from tests.tapes import cut

FRAMES = 1_300
"""The first market of the sample, settled, and the beginning of the second."""
CUTS = (1, 2, 100, 171, 172, 173, 180, 400, 713, 714, 901, 1_150, 1_180, 1_288, 1_289, 1_290)
"""Around the listing, the opening, the tick change, the cutoff, the close and the resolution."""


@pytest.fixture(scope="module")
def batches(repo_dir: Path) -> list[ev.Batch]:
    """Recorded frames."""
    return sample(repo_dir, FRAMES)


@pytest.fixture(scope="module")
def full(batches: list[ev.Batch]) -> Played:
    """The run that the others are compared with."""
    played = play(batches)
    assert len(played.actions) > 1_000
    assert len(played.fills) > 20
    return played


def test_the_digest_does_not_depend_on_the_hash_seed(repo_dir: Path, tmp_path: Path) -> None:
    tape = cut(repo_dir / SAMPLE, tmp_path / "part.tape", 450)

    def digest(seed: int) -> tuple[str, int]:
        environment = {"PYTHONHASHSEED": str(seed), "PYTHONPATH": str(repo_dir / "src")}
        done = subprocess.run(
            [sys.executable, "-m", "polybawt", "backtest", "--json", "--data", str(tape)],
            env=os.environ | environment,
            capture_output=True,
            check=True,
        )
        summary = json.loads(done.stdout)
        return summary["digest"], summary["orders"]

    with ThreadPoolExecutor(max_workers=2) as pool:
        digests = list(pool.map(digest, range(10)))
    assert len(set(digests)) == 1
    assert digests[0][1] > 100


def test_a_replay_repeats_itself(batches: list[ev.Batch], full: Played) -> None:
    assert play(batches).digest == full.digest


@pytest.mark.parametrize("frames", CUTS)
def test_a_cut_run_is_the_beginning_of_the_full_one(
    batches: list[ev.Batch], full: Played, frames: int
) -> None:
    short = play(batches[:frames])
    end_ns = batches[frames - 1].now_ns
    assert short.until(end_ns) == full.until(end_ns)
    assert short.actions == full.actions[: len(short.actions)]


def test_a_cut_run_knows_no_later_fill(batches: list[ev.Batch], full: Played) -> None:
    short = play(batches[:600])
    end_ns = batches[599].now_ns
    known = [one for one in full.answers if one[0] <= end_ns]
    assert short.answers[: len(known)] == known


def test_another_outcome_changes_nothing_before_its_resolution(
    batches: list[ev.Batch], full: Played
) -> None:
    other, resolved_ns = [], 0
    for batch in batches:
        events = batch.events
        if isinstance(events[0], ev.MarketResolved):
            resolved_ns = batch.now_ns
            (up, down), market_id = events[0].payouts_ppm, events[0].market_id
            events = (
                ev.MarketResolved(
                    market_id=market_id, payouts_ppm=(down, up), evidence=events[0].evidence
                ),
            )
        other.append(ev.Batch(batch.frame_seq, batch.now_ns, batch.source, events))
    changed = play(other)
    assert resolved_ns
    assert changed.until(resolved_ns) == full.until(resolved_ns)
    assert changed.books != full.books


@pytest.mark.parametrize("queue", ["pessimistic", "power"])
def test_exchanging_up_and_down_mirrors_the_run(batches: list[ev.Batch], queue: str) -> None:
    plain, mirror = play(batches, queue), play(exchanged(batches), queue)
    one, two = deeds(plain), deeds(mirror, flip=1)
    assert len(plain.fills) > 20
    assert (one - two, two - one) == ({}, {})
    assert mirror.books == plain.books


@pytest.mark.parametrize("queue", ["pessimistic", "power"])
@pytest.mark.parametrize("share", [1.0, 0.3], ids=["every frame", "some frames"])
def test_frames_received_twice_change_nothing(
    batches: list[ev.Batch], queue: str, share: float
) -> None:
    chance = random.Random(7)
    twice = [
        batch
        for one in batches
        for batch in ([one, one] if share == 1.0 or chance.random() < share else [one])
    ]
    assert len(twice) > len(batches)
    plain, doubled = play(batches, queue), play(twice, queue)
    assert doubled.books == plain.books
    assert doubled.fills == plain.fills
    assert doubled.actions == plain.actions
