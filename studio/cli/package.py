"""``studio package``: pack an evaluated run, or check a package that was copied somewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperGroup

from studio.build.stages import package_stage
from studio.cli.display import show
from studio.cli.evaluate import evaluated_run
from studio.cli.options import DEFAULT_SPEC, WORKSPACE, AsJson, RunId, SpecFile, WorkspaceFolder, open_session
from studio.cli.output import say, say_json
from studio.evaluate import restated
from studio.package import Verification, check

NOT_WHOLE = 3
PACK = "pack"


class PackingByDefault(TyperGroup):
    """``studio package SPEC`` is ``studio package pack SPEC``."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        if not args or args[0] not in (*self.commands, *ctx.help_option_names):
            args = [PACK, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=PackingByDefault,
    help="Pack an evaluated run into a folder to deploy: studio package [SPEC] [--workspace DIR] [--run ID] [--json].",
    epilog="Example: studio package specs/taskmaster.yaml",
    rich_markup_mode=None,
)


@app.command(PACK)
def pack(
    spec: SpecFile = DEFAULT_SPEC, workspace: WorkspaceFolder = WORKSPACE, run: RunId = None, as_json: AsJson = False
) -> None:
    """Pack an evaluated run into a folder to deploy, and prove it by loading it back.

    Example: studio package specs/taskmaster.yaml
    """
    with open_session(spec, workspace) as session:
        chosen, evaluation = evaluated_run(session, run)
        made = show(package_stage, session, chosen, restated(session.workspace, evaluation))
    if as_json:
        say_json(made)
    else:
        say(f"{made.path} ({made.verdict})")
        say(proof_line(made.verification))


@app.command("verify")
def verify(
    package: Annotated[Path, typer.Argument(metavar="PATH", help="A package's folder, or its name in the workspace.")],
    workspace: WorkspaceFolder = WORKSPACE,
    as_json: AsJson = False,
) -> int:
    """Compare every file of a package with the SHA-256 in its manifest. Exit status 3: it is another one.

    Example: studio package verify workspace/taskmaster/packages/taskmaster-run-1
    """
    named = [package, *workspace.glob(f"*/packages/{package.name}")] if package.name else [package]
    found = check(next((folder for folder in named if folder.is_dir()), package))
    if as_json:
        say_json({**found.model_dump(), "whole": found.whole})
    elif found.whole:
        say(f"{found.package}: all {found.files} files are as they were packed")
    else:
        for what, names in (("changed", found.changed), ("missing", found.missing), ("not listed", found.added)):
            for name in names:
                say(f"{what:<10} {name}")
    return 0 if found.whole else NOT_WHOLE


def proof_line(proof: Verification) -> str:
    """What the proof of a package came to."""
    if not proof.verified or proof.difference is None:
        return f"not verified: {proof.note}"
    return (
        f"verified in {proof.seconds:.0f} s: {proof.tokens} tokens of {proof.probes} probes, log-probabilities as the "
        f"run's to {proof.difference:.1e} (allowed {proof.tolerance:g})"
    )
