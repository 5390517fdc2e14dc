"""The control API: who gets in, what it makes and shows, and what it says to nonsense."""

import asyncio
import json
import subprocess
import sys
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from polyvenue.cli import Usage, new_account
from polyvenue.control.access import is_loopback, knows
from polyvenue.control.app import SCHEMA, Control, control_app, controlling
from polyvenue.control.markets import is_ordered
from polyvenue.control.orders import AccountOrder, ClockOrder, MarketOrder, decode
from polyvenue.exchange.units import S_NS
from polyvenue.faults.transport import HttpFault, WsFault
from polyvenue.faults.within import BalanceFault, EngineFault, JobFault, TradeFault
from polyvenue.market_data.windows import Window
from polyvenue.server.app import serving
from polyvenue.server.config import VenueConfig
from tests.polyvenue.control.stage import E6, FREE, TOKEN, Stage, play, staged

ROUTES = [
    ("GET", "/version"),
    ("POST", "/accounts"),
    ("GET", "/accounts"),
    ("POST", "/markets"),
    ("GET", "/markets"),
    ("GET", "/truth"),
    ("GET", "/self-trades"),
    ("POST", "/clock"),
    ("GET", "/clock"),
    ("POST", "/faults"),
    ("GET", "/faults"),
    ("DELETE", "/faults"),
    ("DELETE", "/faults/1"),
    ("GET", "/nowhere"),
]


def test_nobody_gets_in_without_the_token() -> None:
    async def scenario(stage: Stage) -> None:
        control = Control(stage.server, stage.gate)
        walked = {(it.method, it.path.replace("{id}", "1")) for it in control.routes()}
        assert walked < set(ROUTES), "a new route: add it here"
        for method, path in ROUTES:
            for wrong in ("", "Bearer", "Bearer " + "x" * 43, "Basic " + TOKEN, TOKEN):
                status, value = await stage.send(method, path, authorization=wrong)
                assert (status, list(value)) == (401, ["error"])
        for forged in ("evil.example", "127.0.0.1.evil.example:80", "0.0.0.0", "10.0.0.1"):
            assert (await stage.send("GET", "/truth", host=forged))[0] == 403
        assert (await stage.send("GET", "/truth", origin="http://127.0.0.1"))[0] == 403
        assert stage.server.venue.accounts == {}

    play(scenario)


def test_host_names_of_this_machine() -> None:
    for good in ("127.0.0.1", "127.0.0.1:80", "localhost:8080", "[::1]", "[::1]:9"):
        assert is_loopback(good), good
    for bad in ("", ":80", "127.0.0.1:80:80", "127.0.0.1:x", "a.localhost", "::1x", "[::1"):
        assert not is_loopback(bad), bad
    assert knows(TOKEN, "bearer " + TOKEN)
    assert not knows(TOKEN, f"Bearer {TOKEN} ")
    assert not knows(TOKEN, "Bearer \udcff")


def test_a_weak_token_or_an_open_host_is_refused() -> None:
    async def scenario() -> None:
        async with serving(VenueConfig(assets=("btc",), windows_s=(900,))) as (server, _):
            with pytest.raises(ValueError, match="at least 43"):
                async with controlling(server, "short"):
                    raise AssertionError("served with a weak token")
            with pytest.raises(ValueError, match="not loopback"):
                async with controlling(server, TOKEN, host="0.0.0.0"):
                    raise AssertionError("served on an open host")

    asyncio.run(scenario())


def test_accounts_are_funded_and_never_listed_with_their_keys() -> None:
    async def scenario(stage: Stage) -> None:
        made = {
            kind: await stage.ask("POST", "/accounts", {"type": kind, "collateral_e6": 5 * E6})
            for kind in ("eoa", "deposit")
        }
        assert {kind: it["signature_type"] for kind, it in made.items()} == {"eoa": 0, "deposit": 3}
        assert made["eoa"]["wallet"] == made["eoa"]["address"]
        assert made["deposit"]["wallet"] != made["deposit"]["address"]
        listed = await stage.ask("GET", "/accounts")
        assert [it["collateral_e6"] for it in listed["accounts"]] == [5 * E6, 5 * E6]
        assert "private_key" not in json.dumps(listed)
        held = {it["maker"]: it["held_e6"] for it in (await stage.ask("GET", "/truth"))["balances"]}
        assert held[made["deposit"]["wallet"]] == 5 * E6

    play(scenario)


def test_a_market_without_agents_holds_or_failures() -> None:
    async def scenario(stage: Stage) -> None:
        order = FREE | {"tick": 0.001, "fee_rate": 0.0, "agents": False}
        made = await stage.ask("POST", "/markets", order)
        second = await stage.ask("POST", "/markets", order)
        assert made["condition_id"] != second["condition_id"]
        assert (made["phase"], made["tick_e4"], made["hold_ms"]) == ("open", 10, 0)
        assert (made["fail_ppm"], made["fee_ppm"], made["faithful"]) == (0, 0, True)
        listed = {it["slug"]: it for it in (await stage.ask("GET", "/markets"))["markets"]}
        assert listed[made["slug"]] == made
        trader = await stage.trader()
        other = await stage.trader("deposit")
        assert await trader.buy(made["token_up"], 60)
        assert await other.buy(made["token_down"], 40)
        truth = await stage.ask("GET", "/truth")
        assert [it["fee_e6"] for it in truth["fills"]] == [0, 0]
        assert {it["status"] for it in truth["fills"]} == {"MATCHED"}
        status, _ = await stage.send(
            "POST", "/markets", json.dumps(order | {"agents": True}).encode()
        )
        assert status == 400

    play(scenario)


def test_an_ordered_tick_stays() -> None:
    async def scenario(stage: Stage) -> None:
        made = await stage.ask("POST", "/markets", FREE)
        first, second = await stage.trader(), await stage.trader()
        assert await first.buy(made["token_up"], 98)
        assert await second.buy(made["token_down"], 2, 100)
        assert (await stage.ask("GET", "/truth"))["fills"]
        rows = (await stage.ask("GET", "/markets"))["markets"]
        assert [it["tick_e4"] for it in rows if it["slug"] == made["slug"]] == [100]

    play(scenario)


def test_a_market_is_resolved_by_the_clock() -> None:
    async def scenario(stage: Stage) -> None:
        await stage.ask("POST", "/clock", {"mode": "stepped"})
        made = await stage.ask("POST", "/markets", FREE | {"window_s": 60})
        later = await stage.ask("POST", "/clock", {"mode": "stepped", "advance_ms": 150_000})
        assert later["now_ns"] >= made["resolved_ns"]
        rows = (await stage.ask("GET", "/markets"))["markets"]
        (row,) = [it for it in rows if it["slug"] == made["slug"]]
        assert row["winner"] in (0, 1)
        assert row["phase"] in ("resolved", "removed")

    play(scenario)


def test_a_market_of_its_own_never_meets_the_series() -> None:
    async def scenario(stage: Stage) -> None:
        now = await stage.ask("POST", "/clock", {"mode": "stepped"})
        start_s = now["now_ns"] // S_NS + 10 * 3_600
        start_s -= start_s % 900
        body = json.dumps(FREE | {"start_s": start_s}).encode()
        status, value = await stage.send("POST", "/markets", body)
        assert (status, "multiple of window_s" in value["error"]) == (400, True)
        made = await stage.ask("POST", "/markets", FREE | {"start_s": start_s + 1})
        assert (made["start_ns"], made["phase"]) == ((start_s + 1) * S_NS, "trading")
        status, value = await stage.send(
            "POST", "/markets", json.dumps(FREE | {"start_s": start_s + 1}).encode()
        )
        assert (status, "listed already" in value["error"]) == (400, True)
        for _ in range(10):  # past the start of the window that was refused
            await stage.ask("POST", "/clock", {"mode": "stepped", "advance_ms": 3_600_000})
        records = stage.server.venue.markets.markets()
        assert [it.window.slug for it in records if is_ordered(it.window)] == [made["slug"]]

    play(scenario)


def test_agents_come_only_where_they_were_ordered() -> None:
    async def scenario(stage: Stage) -> None:
        crowded: list[Window] = []
        control = Control(stage.server, stage.gate, crowded.append)
        app = control_app(control, TOKEN)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        stage.control = f"http://127.0.0.1:{runner.addresses[0][1]}"
        await stage.ask("POST", "/markets", FREE)
        made = await stage.ask("POST", "/markets", FREE | {"agents": True})
        assert [it.slug for it in crowded] == [made["slug"]]
        await runner.cleanup()

    play(scenario)


def test_the_command_makes_an_account() -> None:
    async def scenario(stage: Stage) -> None:
        text = await asyncio.to_thread(new_account, stage.control, TOKEN, "deposit", 12.5)
        made = json.loads(text)
        (listed,) = (await stage.ask("GET", "/accounts"))["accounts"]
        assert (listed["wallet"], listed["collateral_e6"]) == (made["wallet"], 12_500_000)
        with pytest.raises(Usage, match="answers 401"):
            await asyncio.to_thread(new_account, stage.control, "x", "eoa", 1.0)

    play(scenario)


def test_the_clock_stands_steps_and_runs() -> None:
    async def scenario(stage: Stage) -> None:
        stands = await stage.ask("POST", "/clock", {"mode": "stepped"})
        assert (await stage.ask("GET", "/clock")) == stands
        stepped = await stage.ask("POST", "/clock", {"mode": "stepped", "advance_ms": 1500})
        assert stepped["now_ns"] == stands["now_ns"] + 1_500_000_000
        assert (await stage.ask("GET", "/truth?parts=orders"))["now_ns"] == stepped["now_ns"]
        scaled = await stage.ask("POST", "/clock", {"mode": "scaled", "speed": 50})
        await asyncio.sleep(0.05)
        passed = (await stage.ask("GET", "/clock"))["now_ns"] - scaled["now_ns"]
        assert passed >= 2 * S_NS
        assert (await stage.ask("POST", "/clock", {"mode": "real"}))["speed"] == 1.0

    play(scenario)


def test_self_trades_are_named() -> None:
    async def scenario(stage: Stage) -> None:
        market = await stage.ask("POST", "/markets", FREE)
        trader = await stage.trader()
        assert (await stage.ask("GET", "/self-trades"))["self_trades"] == []
        assert await trader.buy(market["token_up"], 60)
        assert await trader.buy(market["token_down"], 45)
        (found,) = (await stage.ask("GET", "/self-trades"))["self_trades"]
        assert found["maker"] == trader.account.wallet

    play(scenario)


def test_truth_shows_only_the_parts_asked_for_and_every_request() -> None:
    async def scenario(stage: Stage) -> None:
        market = await stage.ask("POST", "/markets", FREE)
        trader = await stage.trader()
        body = trader.body(market["token_up"], 40, 10)
        await trader.post(body)
        truth = await stage.ask("GET", "/truth?parts=requests")
        assert "orders" not in truth
        assert [it["path"] for it in truth["requests"]] == ["/auth/api-key", "/order"]
        order = truth["requests"][1]
        assert (order["service"], order["status"], order["served"]) == ("clob", 200, 1)
        assert (await stage.send("GET", "/truth?parts=all"))[0] == 400
        (made,) = await stage.orders()
        assert made["order_id"].startswith("0x")

    play(scenario)


WRONG = [
    ("/accounts", {"type": "safe"}),
    ("/accounts", {"collateral_e6": -1}),
    ("/accounts", {"collateral_e6": 1.5}),
    ("/accounts", {"colateral_e6": 1}),
    ("/markets", {"asset": "btc"}),
    ("/markets", FREE | {"asset": "eth"}),
    ("/markets", FREE | {"asset": "x" * 9_000}),
    ("/markets", FREE | {"window_s": 61}),
    ("/markets", FREE | {"hold_ms": -1}),
    ("/markets", FREE | {"fail_rate": 1.01}),
    ("/markets", FREE | {"tick": "0.02"}),
    ("/markets", FREE | {"fee_rate": -0.1}),
    ("/markets", FREE | {"start_s": 5}),
    ("/clock", {"mode": "real", "speed": 2}),
    ("/clock", {"mode": "scaled"}),
    ("/clock", {"mode": "scaled", "speed": 0}),
    ("/clock", {"mode": "stepped", "advance_ms": -1}),
    ("/clock", {"mode": "scaled", "speed": 2, "advance_ms": 5}),
    ("/faults", {"kind": "http"}),
    ("/faults", {"kind": "engine", "action": "tick", "market_id": "0x1", "tick_e4": 10}),
    ("/faults", {"kind": "balance", "action": "banned", "wallet": "0x1", "on": True}),
    ("/faults", {"kind": "trade", "steps": [{"status": "CONFIRMED"}]}),
]


def test_nonsense_gets_one_line_and_changes_nothing() -> None:
    async def scenario(stage: Stage) -> None:
        before = await stage.ask("GET", "/markets")
        for path, body in WRONG:
            status, value = await stage.send("POST", path, json.dumps(body).encode())
            assert status == 400, (path, body, value)
            assert "\n" not in value["error"]
        for data in (b"", b"{", b"[]", b"\xff", b"[" * 50_000, b"null"):
            for path in ("/accounts", "/markets", "/clock", "/faults"):
                assert (await stage.send("POST", path, data))[0] == 400
        assert (await stage.send("POST", "/faults", b" " * 70_000))[0] == 413
        assert (await stage.send("DELETE", "/faults/7"))[0] == 404
        assert (await stage.send("DELETE", "/faults/x"))[0] == 404
        assert (await stage.send("PUT", "/faults"))[0] == 405
        assert (await stage.send("GET", "/nowhere"))[0] == 404
        assert await stage.ask("GET", "/markets") == before
        assert (await stage.ask("GET", "/faults"))["faults"] == []
        assert (await stage.ask("GET", "/accounts"))["accounts"] == []

    play(scenario)


def test_faults_are_listed_counted_repeated_and_removed() -> None:
    async def scenario(stage: Stage) -> None:
        fault = {"kind": "http", "action": "status", "status": 503, "count": 1, "seed": 7}
        made = await stage.order(**fault)
        line = made["line"]
        assert line.startswith("POST /faults {")
        assert await stage.order(**json.loads(line.removeprefix("POST /faults "))) == made | {
            "id": 2
        }
        url = stage.at.clob + "/time"
        for expected in (503, 200):
            async with stage.session.get(url) as reply:
                assert reply.status == expected
        shown = (await stage.ask("GET", "/faults"))["faults"]
        # both struck the first request
        assert [(it["hits"], it["active"]) for it in shown] == [(1, False), (1, False)]
        assert await stage.ask("DELETE", "/faults/1") == {"removed": 1}
        assert await stage.ask("DELETE", "/faults") == {"removed": 1}
        assert await stage.ask("GET", "/version") == {"control": SCHEMA, "polyvenue": "0.1.0"}

    play(scenario)


KINDS = (HttpFault, WsFault, TradeFault, JobFault, EngineFault, BalanceFault)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["http", "ws", "drop", "delay", "market", "btc", "stepped", "eoa", "MINED"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)
NAMES = st.sampled_from(
    sorted(
        {
            *("kind", "type", "collateral_e6", "asset", "window_s", "agents", "tick", "fail_rate"),
            *("fee_rate", "start_s", "speed", "advance_ms"),
            *(it for kind in KINDS for it in kind.__struct_fields__),
        }
    )
)
BODIES = st.dictionaries(NAMES, JSON, max_size=6).map(lambda it: json.dumps(it).encode())


def test_no_body_makes_the_control_api_fail() -> None:
    async def scenario(stage: Stage) -> None:
        async def post(path: str, body: bytes) -> None:
            status, value = await stage.send("POST", path, body)
            assert status in (200, 400), (path, body, status)
            assert status == 200 or "\n" not in value["error"]

        loop = asyncio.get_running_loop()

        @settings(max_examples=150)
        @given(st.sampled_from(["/accounts", "/markets", "/clock", "/faults"]), BODIES)
        def fuzz(path: str, body: bytes) -> None:
            asyncio.run_coroutine_threadsafe(post(path, body), loop).result(10)

        await asyncio.to_thread(fuzz)

    play(scenario)


@given(st.sampled_from([AccountOrder, MarketOrder, ClockOrder]), BODIES | st.binary(max_size=30))
def test_an_order_is_read_or_refused(kind: Any, body: bytes) -> None:
    try:
        made = decode(body, kind)
    except ValueError:
        return
    assert isinstance(made, kind)


def test_the_command_serves_it() -> None:
    run = "import sys; from polyvenue.cli import main; sys.exit(main())"
    with subprocess.Popen(
        [sys.executable, "-c", run, "serve", "--json", "--assets", "btc", "--windows", "900"],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())

        async def ask() -> None:
            async with staged() as stage:
                stage.control = ready["control"]
                token = {"authorization": "Bearer " + ready["control_token"]}
                assert (await stage.send("GET", "/version"))[0] == 401
                assert (await stage.send("GET", "/version", **token))[0] == 200

        try:
            asyncio.run(ask())
            assert len(ready["control_token"]) >= 43
        finally:
            process.terminate()
        assert process.wait(10) == 0
