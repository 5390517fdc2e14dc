"""What faults do to requests, without sockets: when they strike and what the venue has done."""

import asyncio
from typing import Any

import pytest

from polyvenue.server.gate import Call, Cut, Reply
from tests.polyvenue.faults.world import World


def replies(world: World, count: int, **call: Any) -> list[Reply | Cut]:
    """The answers to so many different posts."""

    async def run() -> list[Reply | Cut]:
        return [await world.post(f"{number}".encode(), **call) for number in range(count)]

    return asyncio.run(run())


def struck(world: World, count: int, **call: Any) -> list[int]:
    """Which posts were answered with a reset."""
    return [n for n, it in enumerate(replies(world, count, **call)) if isinstance(it, Cut)]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({}, [0, 1, 2, 3, 4, 5]),
        ({"nth": 3}, [2]),
        ({"nth": 3, "count": 2}, [2, 3]),
        ({"count": 2}, [0, 1]),
        ({"match": {"service": "gamma"}}, []),
        ({"match": {"service": "clob", "method": "POST", "path": "/ord*"}}, [0, 1, 2, 3, 4, 5]),
        ({"match": {"path": "/order/*"}}, []),
        ({"match": {"method": "GET"}}, []),
        ({"match": {"contains": "4"}}, [4]),
    ],
)
def test_it_strikes_what_it_means(fault: dict[str, Any], expected: list[int]) -> None:
    world = World()
    world.order("http", action="reset", **fault)
    assert struck(world, 6) == expected
    (shown,) = world.gate.faults()
    assert shown.hits == len(expected)


def test_chance_is_the_seed_and_nothing_else() -> None:
    def run(seed: int) -> list[int]:
        world = World()
        world.order("http", action="reset", probability=0.3, seed=seed)
        return struck(world, 400)

    assert run(1) == run(1) != run(2)
    assert 80 < len(run(1)) < 160
    world = World()
    world.order("http", action="reset", probability=0.0)
    assert struck(world, 50) == []


def test_a_fault_ends_by_its_time_its_count_or_by_hand() -> None:
    world = World()
    made = world.order("http", action="reset", for_s=30)
    assert struck(world, 2) == [0, 1]
    world.timer.move(30)
    assert struck(world, 2) == []
    assert [it.active for it in world.gate.faults()] == [False]
    second = world.order("http", action="reset")
    assert second.id == made.id + 1
    world.gate.remove(second.id)
    assert struck(world, 2) == []
    with pytest.raises(KeyError):
        world.gate.remove(second.id)
    assert world.gate.clear() == 1
    assert world.gate.faults() == ()


def test_the_number_of_faults_is_bounded() -> None:
    world = World()
    for _ in range(1_000):
        world.order("http", action="reset", count=1)
    with pytest.raises(ValueError, match="1000 faults: DELETE /faults"):
        world.order("http", action="reset")


BEFORE = [
    ({"action": "reset"}, Cut(), 0.0),
    ({"action": "drop"}, Cut(), 60.0),
    ({"action": "drop", "seconds": 3}, Cut(), 3.0),
    ({"action": "status", "status": 425, "body": "<p>"}, (425, b"<p>", "text/html"), 0.0),
    ({"action": "body", "body": "{}"}, (200, b"{}", "application/json"), 0.0),
]


@pytest.mark.parametrize(("fault", "expected", "slept_s"), BEFORE)
@pytest.mark.parametrize("when", ["before", "after"])
def test_the_same_answer_means_two_things(
    fault: dict[str, Any], expected: Any, slept_s: float, when: str
) -> None:
    """A naive client cannot tell whether its order is there."""
    world = World()
    world.order("http", when=when, **fault)
    reply = asyncio.run(world.post())
    if isinstance(reply, Reply):
        assert (reply.status, reply.body, reply.content_type) == expected
    else:
        assert reply == expected
    assert world.timer.slept_s == slept_s
    assert world.served == ([] if when == "before" else [b"a"])


def test_a_request_is_held_and_done_late() -> None:
    """A3: held 12 s, done at 11 s: a client that gave up after 5 s is wrong."""
    world = World()
    world.order("http", action="delay", seconds=1)
    world.order("http", when="before", action="delay", seconds=11)
    done: list[float] = []

    async def run() -> None:
        async def serve(call: Call) -> Reply:
            done.append(world.timer.slept_s)
            return await world.serve(call)

        call = Call(service="clob", method="POST", path="/order", query={}, headers={}, body=b"a")
        assert isinstance(await world.gate.http(call, serve), Reply)

    asyncio.run(run())
    assert (done, world.timer.slept_s) == ([11.0], 12.0)


def test_replies_are_bent() -> None:
    world = World()
    world.order("http", action="truncate", bytes=4, nth=1)
    world.order("http", action="duplicate", nth=2)
    world.order("http", action="body", nth=3, put={"rows/1/size": "8"}, remove=["rows/0"])
    kind = {"Content-Type": "text/plain", "X-A": "b"}
    world.order("http", action="body", nth=4, body="no", headers=kind)
    cut, twice, edited, typed = replies(world, 4)
    assert isinstance(cut, Reply)
    assert (cut.sent_bytes, len(cut.body)) == (4, 52)
    assert isinstance(twice, Reply)
    assert (twice.status, world.served.count(b"1")) == (400, 2)
    assert isinstance(edited, Reply)
    assert edited.body == b'{"orderID":"0x1","rows":[{"size":"8"}]}'
    assert isinstance(typed, Reply)
    assert (typed.content_type, typed.headers) == ("text/plain", {"X-A": "b"})


def test_what_ends_a_request_hides_it_from_later_faults() -> None:
    world = World()
    after = world.order("http", action="status", status=500)
    world.order("http", when="before", action="reset", count=1)
    first, second = replies(world, 2)
    assert first == Cut()
    assert isinstance(second, Reply)
    assert second.status == 500
    assert next(it for it in world.gate.faults() if it.id == after.id).hits == 1


def test_requests_are_noted_when_they_arrive() -> None:
    world = World()
    world.order("http", action="reset", nth=2)
    world.order("http", action="duplicate", nth=3)
    replies(world, 3)
    rows = world.gate.requests.rows
    assert [(it.status, it.served) for it in rows] == [(200, 1), (0, 1), (400, 2)]
    assert {it.at_ns for it in rows} == {world.venue.clock.now_ns()}
    assert len({it.body_sha256 for it in rows}) == 3
