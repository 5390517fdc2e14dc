"""What faults do to frames, without sockets: a naive client of a book goes wrong by each."""

import json
from typing import Any

import pytest

from polyvenue.faults.garbage import GARBAGE, garbage
from polyvenue.faults.ws import HELD_MAX, is_data, is_snapshot
from tests.polyvenue.faults.world import Wire, World


def frame(number: int) -> str:
    """An update: the naive client sets its price to the latest and its volume to the sum."""
    return json.dumps({"event_type": "price_change", "n": number})


def believed(sent: list[str]) -> tuple[int, int]:
    """The naive client's last price and volume."""
    numbers = [json.loads(text)["n"] for text in sent if is_data(text)]
    return (numbers[-1] if numbers else 0, sum(numbers))


FRAMES = [frame(number) for number in range(1, 7)]
TRUE = (6, 21)

WRONG: list[tuple[dict[str, Any], tuple[int, int]]] = [
    ({"action": "freeze_data"}, (0, 0)),
    ({"action": "freeze_data", "nth": 4}, (3, 6)),
    ({"action": "freeze_all"}, (0, 0)),
    ({"action": "drop", "nth": 6}, (5, 15)),
    ({"action": "drop", "nth": 2, "count": 2}, (6, 16)),
    ({"action": "dup", "nth": 6}, (6, 27)),
    ({"action": "dup", "nth": 1, "copies": 20}, (6, 41)),
    ({"action": "reorder", "depth": 6}, (2, 21)),
    ({"action": "reorder"}, (5, 21)),
    ({"action": "delay", "seconds": 5}, (0, 0)),
    ({"action": "delay", "seconds": 5, "contains": '"n": 6'}, (5, 15)),
    ({"action": "throttle", "rate": 1}, (1, 1)),
    ({"action": "garbage", "text": '{"n":99}', "nth": 6}, (99, 114)),
    ({"action": "edit", "put": {"n": 0}, "nth": 6}, (0, 15)),
]


@pytest.mark.parametrize(("fault", "wrong"), WRONG, ids=lambda it: str(it)[:60])
def test_a_client_that_believes_every_frame_is_wrong(
    fault: dict[str, Any], wrong: tuple[int, int]
) -> None:
    assert believed(World().emit(Wire(), *FRAMES)) == TRUE
    world = World()
    world.order("ws", channel="market", **fault)
    assert wrong != TRUE
    assert believed(world.emit(Wire(), *FRAMES)) == wrong
    assert world.emit(Wire("user"), *FRAMES) == FRAMES, "another channel is left alone"


@pytest.mark.parametrize("action", ["freeze_data", "drop", "delay", "garbage", "throttle"])
def test_keepalive_passes_so_that_the_socket_looks_alive(action: str) -> None:
    world, wire = World(), Wire()
    extras: dict[str, dict[str, Any]] = {"delay": {"seconds": 5}, "throttle": {"rate": 0.1}}
    world.order("ws", action=action, **extras.get(action, {}))
    assert world.emit(wire, "PONG", '{"op":"subscribed"}') == ["PONG", '{"op":"subscribed"}']
    assert world.gate.frame_in(wire, "PING") == ("PING",)
    assert world.gate.faults()[0].seen == 0


def test_a_full_freeze_loses_both_directions_and_thaws() -> None:
    world, wire = World(), Wire()
    world.order("ws", action="freeze_all", channel="market", seconds=5)
    assert world.emit(wire, "PONG", FRAMES[0]) == []
    assert world.gate.frame_in(wire, "PING") == ()
    assert world.gate.frame_in(Wire("user"), "PING") == ("PING",)
    world.timer.move(5)
    assert world.emit(wire, "PONG", FRAMES[1]) == ["PONG", FRAMES[1]], "what was lost stays lost"
    assert world.gate.frame_in(wire, b"x") == (b"x",)


def test_delayed_frames_come_in_their_order() -> None:
    world, wire = World(), Wire()
    world.order("ws", action="delay", seconds=2, count=3)
    world.emit(wire, *FRAMES)
    assert wire.sent == FRAMES[3:]
    world.timer.move(1.9)
    assert wire.sent == FRAMES[3:]
    world.timer.move(0.1)
    assert wire.sent == FRAMES[3:] + FRAMES[:3]


def test_a_throttle_keeps_the_order_and_the_rate() -> None:
    world, wire = World(), Wire()
    world.order("ws", action="throttle", rate=2, for_s=1.2)
    world.emit(wire, *FRAMES[:5])
    assert wire.sent == FRAMES[:1]
    world.timer.move(1.3)
    assert wire.sent == FRAMES[:3]
    world.emit(wire, FRAMES[5])
    assert wire.sent == FRAMES[:3], "the end of the throttle overtakes nothing"
    world.timer.move(5)
    assert wire.sent == FRAMES


def test_what_is_held_back_is_bounded() -> None:
    world, wire = World(), Wire()
    world.order("ws", action="delay", seconds=1)
    world.emit(wire, *[frame(number) for number in range(HELD_MAX + 5)])
    world.timer.move(1)
    assert len(wire.sent) == HELD_MAX
    world.emit(wire, frame(1))
    world.gate.closed(wire)
    world.timer.move(1)
    assert len(wire.sent) == HELD_MAX, "a client that is gone gets nothing"


def test_a_lone_frame_is_not_held_for_ever() -> None:
    world, wire = World(), Wire()
    world.order("ws", action="reorder", depth=4, seconds=3)
    world.emit(wire, *FRAMES[:2])
    assert wire.sent == []
    world.timer.move(3)
    assert sorted(wire.sent) == FRAMES[:2]
    assert wire.sent != FRAMES[:2]
    world.emit(wire, FRAMES[2])
    world.timer.move(2)
    assert len(wire.sent) == 2
    world.timer.move(1)
    assert wire.sent[2:] == [FRAMES[2]]


def test_a_new_round_waits_its_own_time() -> None:
    world, wire = World(), Wire()
    world.order("ws", action="reorder", depth=2, seconds=3)
    world.emit(wire, *FRAMES[:2])
    world.timer.move(2)
    world.emit(wire, FRAMES[2])
    world.timer.move(2)
    assert wire.sent == [FRAMES[1], FRAMES[0]]
    world.emit(wire, FRAMES[3])
    assert wire.sent[2:] == [FRAMES[3], FRAMES[2]]


def test_snapshots_are_withheld_and_nothing_else() -> None:
    world, market, oracle = World(), Wire(), Wire("polybolt")
    world.order("ws", action="no_snapshot", for_s=2)
    book = '[{"market":"0x","event_type":"book"}]'
    first = '{"v":1,"snapshot":true}'
    assert is_snapshot(book)
    assert world.emit(market, book, FRAMES[0]) == FRAMES[:1]
    assert world.emit(oracle, first, '{"v":1}') == ['{"v":1}']
    world.timer.move(2)
    assert world.emit(market, book)[-1] == book


def test_garbage_is_what_the_seed_says() -> None:
    def run(seed: int) -> list[str]:
        world = World()
        world.order("ws", action="garbage", seed=seed)
        return world.emit(Wire(), *[frame(number) for number in range(12)])

    assert run(1) == run(1) != run(2)
    made = {garbage((index + 0.5) / len(GARBAGE), FRAMES[0]) for index in range(len(GARBAGE))}
    assert len(made) == len(GARBAGE)
    assert FRAMES[0] not in made


@pytest.mark.parametrize(
    ("fault", "ended"), [({"action": "close", "code": 1012}, 1012), ({"action": "reset"}, 1006)]
)
def test_sockets_end_now_and_as_they_come(fault: dict[str, Any], ended: int) -> None:
    world, old, other = World(), Wire(), Wire("binance")
    world.gate.opened(old)
    world.gate.opened(other)
    world.order("ws", channel="market", count=2, seconds=0.2, **fault)
    assert [old.ended] == [None]
    world.timer.move(0.2)
    assert [old.ended, other.ended] == [ended, None]
    new, third = Wire(), Wire()
    world.gate.opened(new)
    world.gate.opened(third)
    world.timer.move(0.2)
    assert [new.ended, third.ended] == [ended, None]


def test_a_socket_ends_at_a_frame() -> None:
    world, wire = World(), Wire("user")
    world.gate.opened(wire)
    world.order("ws", channel="user", action="close", contains='"n": 3')
    world.emit(wire, *FRAMES[:2])
    world.timer.move(1)
    assert wire.ended is None
    assert world.emit(wire, FRAMES[2]) == FRAMES[:3]
    world.timer.move(0)
    assert wire.ended == 1001


def test_faults_of_frames_add_up() -> None:
    world, wire = World(), Wire()
    world.order("ws", action="dup", nth=1)
    world.order("ws", action="drop", nth=2)
    assert world.emit(wire, *FRAMES[:3]) == FRAMES[:3], "the copy is what the second one drops"
    assert [it.hits for it in world.gate.faults()] == [1, 1]
