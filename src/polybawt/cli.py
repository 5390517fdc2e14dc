"""The command line. Heavy imports wait until a command needs them.

Exit codes: 0 done; 1 an internal error, which is ours; 2 bad input, one line says what and where;
130 interrupted, nothing half-written.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from polybawt import __version__
from polybawt.domain.errors import BadInput, PolybawtError

OK, INTERNAL, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

cli = typer.Typer(
    name="polybawt",
    help="A trading bot for Polymarket's 15-minute crypto Up/Down markets.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Profile = Annotated[
    str, typer.Option(help="Settings: a shipped profile (default, original) or a YAML file.")
]
Strategies = Annotated[
    list[str] | None, typer.Option("--strategy", help="Run only this strategy; may be repeated.")
]


@cli.command()
def backtest(
    data: Annotated[
        Path | None, typer.Option(help="Folder or file of a recording; default: the sample.")
    ] = None,
    strategy: Strategies = None,
    profile: Profile = "default",
    queue: Annotated[
        str | None, typer.Option(help="Queue model of resting orders: pessimistic or power.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the latencies.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object only.")] = False,
    trace: Annotated[
        Path | None, typer.Option(help="Write one JSON line per order, fill, settlement, ...")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write the report here: a page, or JSON for *.json.")
    ] = None,
    assume_inferred_outcomes: Annotated[
        bool, typer.Option(help="Settle on outcomes that a recording only suggests.")
    ] = False,
) -> None:
    """Trade a recording through the same core that trades live, and report what came of it."""
    from polybawt.commands import run_backtest_command

    options: dict[tuple[str, ...], Any] = {}
    if queue is not None:
        options["fills", "queue"] = queue
    if seed is not None:
        options["fills", "seed"] = seed
    run_backtest_command(
        data=data,
        strategies=tuple(strategy or ()),
        profile=profile,
        options=options,
        as_json=json,
        trace=trace,
        report=report,
        assume_inferred=assume_inferred_outcomes,
    )


@cli.command()
def config(
    strategy: Strategies = None,
    profile: Profile = "default",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object only.")] = False,
) -> None:
    """Show every setting with its effective value, where it comes from, and what it means."""
    from polybawt.commands import show_config

    show_config(profile, tuple(strategy or ()), as_json=json)


@cli.command()
def version() -> None:
    """Print the version."""
    typer.echo(f"polybawt {__version__}")


def main(argv: list[str] | None = None) -> int:
    """Run a command and return its exit code; whatever goes wrong is one line on stderr."""
    args = sys.argv[1:] if argv is None else argv
    try:
        code = cli(args=args or ["--help"], prog_name="polybawt", standalone_mode=False)
        sys.stdout.flush()
    except BadInput as error:
        return _fail(str(error), BAD_INPUT)
    except typer.TyperException as error:
        return _fail(f"{error.format_message()} See `polybawt --help`.", BAD_INPUT)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except BrokenPipeError:
        return _reader_gone()
    except PolybawtError as error:
        return _fail(f"internal error, please report it: {error}", INTERNAL)
    except SystemExit as error:
        # Typer ends the process for a broken pipe, and for nothing else when not standalone.
        return _reader_gone() if error.code == 1 else BAD_INPUT
    if code == INTERRUPTED:  # Typer turns an interrupt into this value
        return _fail("interrupted; nothing was half-written", INTERRUPTED)
    return OK if args else BAD_INPUT


def _reader_gone() -> int:
    """Whoever read our output has enough, as `head` has: no error, and nothing left to flush."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return OK


def _fail(message: str, code: int) -> int:
    typer.echo(f"polybawt: {' '.join(message.split())}", err=True)
    return code
