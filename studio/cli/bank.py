"""``studio bank``: the people who talk to the persona."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.cells import cell_len, set_cell_size

from studio.bank import MOST_BUILT, heads
from studio.build.stages import bank_stage
from studio.cli.display import show
from studio.cli.options import DEFAULT_SPEC, WORKSPACE, AsJson, Seed, SpecFile, WorkspaceFolder, group, open_session
from studio.cli.output import say, say_json
from studio.text.inert import inert_line

COUNT = "Built-in people wanted, beside those of the profiles and those who came with generating."
app = group("Build and list the people who talk to it.", "studio bank build specs/taskmaster.yaml -n 60")


@app.command("build")
def build(
    spec: SpecFile = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    count: Annotated[int, typer.Option("--count", "-n", metavar="N", min=1, max=MOST_BUILT, help=COUNT)] = 40,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Make diverse people and keep them. Example: studio bank build specs/taskmaster.yaml -n 60"""
    with open_session(spec, workspace, seed=seed) as session:
        show(bank_stage, session, count)
        people = session.workspace.examples.people()
    if as_json:
        say_json({"people": len(people)})
    else:
        say(f"{len(people)} people: {heads(people).told}")


@app.command("list")
def listing(spec: SpecFile = DEFAULT_SPEC, workspace: WorkspaceFolder = WORKSPACE, as_json: AsJson = False) -> None:
    """List those who are kept. Example: studio bank list specs/taskmaster.yaml"""
    with open_session(spec, workspace) as session:
        people = session.workspace.examples.people()
    if as_json:
        say_json([person.model_dump(mode="json") for person in people])
        return
    table = [
        (one.id, one.source, one.name, one.profession or one.role, one.chatting_style, one.background) for one in people
    ]
    rows = [[inert_line(text) for text in row] for row in table]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        say("  ".join(set_cell_size(text, width) for text, width in zip(row, widths, strict=True)).rstrip())
    if not people:
        say(f"nobody yet; studio bank build {spec} makes some (generating also uses the built-in components)")


@app.command("clear")
def clear(spec: SpecFile = DEFAULT_SPEC, workspace: WorkspaceFolder = WORKSPACE, as_json: AsJson = False) -> None:
    """Remove the built people whom no example names. Example: studio bank clear specs/taskmaster.yaml"""
    with open_session(spec, workspace) as session:
        examples = session.workspace.examples
        removed, left = examples.remove_unused_people("bank"), len(examples.people())
    if as_json:
        say_json({"removed": removed, "people": left})
    else:
        say(f"{removed} removed, {left} stay")
