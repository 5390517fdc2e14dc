"""The command `polyvenue`: serve a venue, make an account on it, compare it with a recording.

A wrong option, a port in use or an unreachable venue: one line on standard error, exit code 2.
"""

import argparse
import asyncio
import secrets
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import msgspec

from polyvenue import __version__, calibrate
from polyvenue.agents import PRESETS
from polyvenue.clock import SPEED_MAX
from polyvenue.control.app import controlling
from polyvenue.server.app import serving
from polyvenue.server.config import VenueConfig

COLLATERAL_E6 = 1_000_000_000
TIMEOUT_S = 10.0
USAGE = 2


class Usage(Exception):
    """What is wrong with the call, in one line."""


class _Parser(argparse.ArgumentParser):
    """One line for a wrong option, instead of the whole usage."""

    def error(self, message: str) -> NoReturn:
        raise Usage(message)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    try:
        options = _parser().parse_args(argv)
        if options.command == "calibrate":
            return calibrate.main(options.arguments)
        if options.command == "serve":
            return asyncio.run(_serve(options))
        print(new_account(options.control, options.token, options.type, options.collateral))
    except Usage as wrong:
        print(f"polyvenue: {wrong}", file=sys.stderr)
        return USAGE
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="polyvenue", description="A local Polymarket on loopback.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    serve = commands.add_parser("serve", help="run a venue until SIGTERM")
    serve.add_argument("--port", type=int, default=0, help="port; 0 takes a free one")
    serve.add_argument("--host", default="127.0.0.1", help="a loopback address")
    serve.add_argument("--seed", type=int, default=None, help="seed of prices, delays, accounts")
    serve.add_argument(
        "--speed", type=float, default=1.0, help=f"venue seconds per second, 0 to {SPEED_MAX:g}"
    )
    serve.add_argument("--assets", default="btc,eth", help="comma-separated: btc,eth,sol,...")
    serve.add_argument("--windows", default="60,900", help="comma-separated: 60,300,900 seconds")
    serve.add_argument("--agents", default="calm", help="who trades: " + ", ".join(PRESETS))
    serve.add_argument("--json", action="store_true", help="print one JSON line when ready")
    compare = commands.add_parser("calibrate", help="the calm market beside a recording")
    compare.add_argument("arguments", nargs=argparse.REMAINDER, help="DIR [--seed N] [--windows N]")
    account = commands.add_parser("account", help="accounts of a running venue")
    actions = account.add_subparsers(dest="action", required=True, parser_class=_Parser)
    new = actions.add_parser("new", help="make a funded throw-away account and print it")
    new.add_argument("--type", choices=("eoa", "deposit"), default="eoa")
    new.add_argument("--control", required=True, help="the `control` URL that serve printed")
    new.add_argument("--token", required=True, help="the `control_token` that serve printed")
    new.add_argument(
        "--collateral", type=float, default=COLLATERAL_E6 / 1e6, help="pUSD to start with"
    )
    return parser


def config_of(options: argparse.Namespace) -> VenueConfig:
    """The configuration that the options ask for. Usage for a value out of range."""
    try:
        windows = tuple(int(text) for text in options.windows.split(","))
    except ValueError:
        raise Usage(f"--windows {options.windows}: comma-separated 60, 300, 900") from None
    if not 0 <= options.port <= 65_535:
        raise Usage(f"--port {options.port}: 0 to 65535")
    if not 0.0 <= options.speed <= SPEED_MAX:
        raise Usage(f"--speed {options.speed}: 0 (stepped) to {SPEED_MAX:g}")
    seed = secrets.randbits(32) if options.seed is None else options.seed
    try:
        return VenueConfig(
            seed=seed,
            assets=tuple(options.assets.split(",")),
            windows_s=windows,
            speed=options.speed,
            agents=options.agents,
        )
    except ValueError as wrong:
        raise Usage(str(wrong)) from None


async def _serve(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT."""
    config = config_of(options)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    try:
        token = secrets.token_urlsafe(32)
        async with (
            serving(config, host=options.host, port=options.port) as (server, addresses),
            controlling(server, token, host=options.host, populate=server.venue.populate) as (
                control,
                _,
            ),
        ):
            ready = msgspec.structs.replace(addresses, control=control, control_token=token)
            if options.json:
                print(msgspec.json.encode(ready).decode(), flush=True)
            else:
                for name, value in msgspec.structs.asdict(ready).items():
                    print(f"{name:14} {value}", flush=True)
            await stopped.wait()
    except ValueError as wrong:
        raise Usage(str(wrong)) from None
    except OSError as wrong:
        raise Usage(f"port {options.port} cannot be used: {wrong.strerror or wrong}") from None
    return 0


def new_account(control: str, token: str, kind: str, collateral: float) -> str:
    """The JSON of a new account. `POST {control}/accounts`, bearer token.

    Usage when the venue cannot be reached or says no.
    """
    if not control.startswith("http://"):
        raise Usage(f"--control {control}: a URL that begins with http://")
    if not 0 <= collateral <= 1e9:
        raise Usage(f"--collateral {collateral}: 0 to 1000000000")
    body = {"type": kind, "collateral_e6": round(collateral * 1e6)}
    request = Request(
        control.rstrip("/") + "/accounts",
        data=msgspec.json.encode(body),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    try:
        with urlopen(request, timeout=TIMEOUT_S) as reply:
            return str(reply.read().decode())
    except HTTPError as wrong:
        raise Usage(f"{control} answers {wrong.code}: {wrong.read(300).decode()}") from None
    except (URLError, OSError, ValueError) as wrong:
        raise Usage(f"{control} cannot be reached: {wrong}") from None
