"""``studio spec``: check a persona file, and show what is made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from studio.cli.options import WORKSPACE, AsJson, WorkspaceFolder
from studio.cli.output import say, say_json, tell
from studio.errors import UserError
from studio.files import write_atomic
from studio.spec import SpecError, load, persona_prompt, starter, targets
from studio.spec import check as check_text

app = typer.Typer(
    help="Begin, check and show persona files.",
    epilog="Example: studio spec check specs/taskmaster.yaml",
    no_args_is_help=True,
    rich_markup_mode=None,
)
File = Annotated[Path, typer.Argument(metavar="FILE", help="A persona's YAML file.")]


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the persona is called.")],
    path: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Instead of a file of its name here.")
    ] = None,
    workspace: WorkspaceFolder = WORKSPACE,
) -> None:
    """Write a spec to begin with, which explains itself and can be built as it stands. The workspace is not looked at.

    Example: studio spec new "Harbor Guide"
    """
    text = starter(name)
    loaded, problems = check_text(text, path or "the new spec")
    if loaded is None:
        raise UserError(f"not a name: {problems[0].message}", where=name, remedy="letters, as it is to be shown")
    target = path or Path(f"{loaded.spec.slug}.yaml")
    if target.exists():
        raise UserError("there is such a file already", where=str(target), remedy="another name, or --out FILE")
    try:
        write_atomic(target, text)
    except OSError as error:
        raise UserError(error.strerror or str(error), where=str(target), remedy="--out FILE") from error
    say(f"{target}: change it from the top down; studio spec check {target} tells what is wrong")


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
    total = sum(wanted.values())
    say(f"{'in all':<24} {total:>4}")
