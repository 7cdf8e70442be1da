"""``studio spec``: check a persona file, and show what is made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from studio.cli.options import WORKSPACE, AsJson, WorkspaceFolder
from studio.cli.output import say, say_json, tell
from studio.spec import SpecError, load, persona_prompt, targets

app = typer.Typer(
    help="Check and show persona files.",
    epilog="Example: studio spec check specs/taskmaster.yaml",
    no_args_is_help=True,
    rich_markup_mode=None,
)
File = Annotated[Path, typer.Argument(metavar="FILE", help="A persona's YAML file.")]


@app.command("check")
def check(file: File, workspace: WorkspaceFolder = WORKSPACE, as_json: AsJson = False) -> int:
    """Validate a file: exit status 0 good, 2 bad, with one line a problem on stderr. The workspace is not looked at.

    Example: studio spec check specs/taskmaster.yaml
    """
    try:
        loaded = load(file)
    except SpecError as error:
        for problem in error.problems:
            tell(str(problem))
        if as_json:
            say_json({"valid": False, "problems": [problem.model_dump(mode="json") for problem in error.problems]})
        return 2
    if as_json:
        say_json({"valid": True, "name": loaded.spec.name, "hash": loaded.hash})
    else:
        say(f"{file}: good ({loaded.spec.name}, sha256 {loaded.hash[:12]})")
    return 0


@app.command("show")
def show(file: File, workspace: WorkspaceFolder = WORKSPACE, as_json: AsJson = False) -> None:
    """Show the prompt and the targets that are made from a file. The workspace is not looked at.

    Example: studio spec show specs/taskmaster.yaml
    """
    loaded = load(file)
    wanted = targets(loaded.spec)
    if as_json:
        say_json({"spec": loaded.spec.model_dump(mode="json", by_alias=True), "targets": wanted, "hash": loaded.hash})
        return
    say(persona_prompt(loaded.spec))
    say("")
    for category, target in wanted.items():
        say(f"{category:<24} {target:>4}")
    say(f"{'in all':<24} {sum(wanted.values()):>4}")
