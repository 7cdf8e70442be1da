"""The ``studio`` command: which command is meant, and how errors leave it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from studio import __version__
from studio.cli import (
    bank,
    bank_effect,
    bank_model,
    bank_report,
    bank_study,
    bank_talk,
    chat,
    coverage,
    dataset,
    doctor,
    evaluate,
    generate,
    improve,
    jobs,
    judge,
    package,
    queries,
    queries_ask,
    recipes,
    runs,
    spec,
    stages,
    status,
    suites,
    train,
    triage,
    window,
    workspace,
)
from studio.cli.options import with_values
from studio.cli.output import say, say_json, tell
from studio.errors import UserError, disk_error

BAD_INPUT = 2
INTERRUPTED = 130
CUT_OFF = 141
"""Whoever read stdout has left, as ``head`` does: what SIGPIPE would have come to."""
OWN_OPTIONS = ("--help", "-h", "--version")
"""What comes before any command; all other options are the window's."""


def _tell_version(asked: bool) -> None:
    if asked:
        say(f"studio {__version__}")
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", help="Show the version.", callback=_tell_version, is_eager=True)]


def _before(version: Version = False) -> None:
    """Nothing is left to do: ``--version`` has ended the command already."""


app = typer.Typer(
    name="studio",
    help="Persona Studio: from a persona spec to a LoRA adapter that passed its quality gates.",
    epilog="\b\n"  # lines as they are: an option is not broken at its hyphen
    "Without a command it opens the window; studio open --help explains the options:\n"
    "studio [SPEC] [--workspace DIR] [--base MODEL] [--endpoint URL] [--model NAME]\n"
    "[--author local:MODEL] [--key-variable NAME] [--max-cost USD]\n"
    "[--judge-endpoint URL] [--judge-model NAME] [--judge-key-variable NAME]\n"
    "[--judges NAME,NAME] [--judge-samples N]\n"
    "Example: studio specs/taskmaster.yaml",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.callback()(_before)
app.command("open")(window.open_window)
app.command("status")(status.status_command)
app.command("build")(stages.build_command)
app.command("generate")(generate.generate)
app.command("coverage")(coverage.coverage_command)
app.add_typer(triage.app, name="triage")
app.add_typer(dataset.app, name="dataset")
app.command("train")(train.train)
app.command("evaluate")(evaluate.evaluate)
app.command("improve")(improve.improve_command)
app.command("suites")(suites.suites)
app.command("chat")(chat.chat)
app.add_typer(package.app, name="package")
app.add_typer(runs.app, name="runs")
bank_model.register(bank.app)
bank_report.register(bank.app)
bank_effect.register(bank.app)
bank_talk.register(bank.app)
bank_study.register(bank.app)
app.add_typer(bank.app, name="bank")
queries_ask.register(queries.app)
app.add_typer(queries.app, name="queries")
app.add_typer(recipes.app, name="recipes")
app.add_typer(judge.app, name="judge")
app.add_typer(spec.app, name="spec")
app.add_typer(jobs.app, name="jobs")
app.add_typer(workspace.app, name="workspace")
app.command("doctor")(doctor.doctor)

COMMANDS = frozenset(
    [str(one.name) for one in app.registered_commands] + [str(one.name) for one in app.registered_groups]
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry of the ``studio`` script. Exit status: 0 good, 2 bad input, 3 gates failed, 130 interrupted,
    141 nobody reads stdout any more."""
    sys.exit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: list[str]) -> int:
    """Run one command and give its exit status. One that fails says why on stderr and, with ``--json``, on stdout."""
    as_json = "--json" in arguments
    if not arguments or arguments[0] not in (*COMMANDS, *OWN_OPTIONS):  # studio, studio FILE, studio --option ...
        arguments = ["open", *arguments]
    if arguments[:2] == ["evaluate", "suites"]:
        arguments = arguments[1:]
    arguments = with_values(arguments)
    try:
        status = app(args=arguments, standalone_mode=False)
    except UserError as error:
        return _failed(error, as_json)
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    except OSError as error:
        return _failed(disk_error(error, error.filename or "the system", doing="not done"), as_json)
    except typer.Exit as end:
        return end.exit_code
    except SystemExit as end:  # how the libraries that print and parse leave for want of a reader
        if not isinstance(end.__context__, BrokenPipeError):
            raise
        return CUT_OFF
    except Exception as error:
        return _usage_error(error, as_json)
    if status == INTERRUPTED:  # typer makes an exit status of ctrl+c
        return _failed(UserError("interrupted; run the same command to go on"), as_json, INTERRUPTED)
    return status if isinstance(status, int) else 0


def _failed(error: UserError, as_json: bool, status: int = BAD_INPUT) -> int:
    tell(f"studio: {error}")
    if as_json:
        say_json({"error": {"message": error.message, "where": error.where, "remedy": error.remedy}})
    return status


def _usage_error(error: Exception, as_json: bool) -> int:
    """A wrong option or argument, as the command line library raises it; anything else is a fault of ours."""
    show = getattr(error, "format_message", None)
    if show is None:
        raise error
    if type(error).__name__ == "NoArgsIsHelpError":
        print(show())
        return BAD_INPUT
    command = getattr(getattr(error, "ctx", None), "command_path", "studio")
    return _failed(UserError(show(), remedy=f"see: {command} --help"), as_json)
