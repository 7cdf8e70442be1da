"""``studio recipes``, and ``studio generate --recipe``: what people of the bank would ask, know, be or need."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from studio.build import Session
from studio.build.items import items_stage
from studio.cli.display import show
from studio.cli.options import DEFAULT_SPEC, WORKSPACE, AsJson, Seed, WorkspaceFolder, open_session
from studio.cli.output import out, say, say_json, tell, tell_prose
from studio.cli.recipe_report import ending, say_report, validity_line
from studio.cli.recipe_review import read_verdicts, sit, write_sample
from studio.cli.terminal_keys import terminal_keys
from studio.errors import UserError
from studio.generate.recipes import (
    BUILT_IN,
    ENTRY,
    STAGE,
    RecipeParams,
    RecipeRun,
    Review,
    RunReport,
    Shots,
    export_recipes,
    load_recipe,
    next_prompts,
    prepared,
    recipe_runs,
    recipe_text,
    report,
)
from studio.generate.recipes.solve import SAMPLES
from studio.spec import load
from studio.store import Documents

LIST = "list"
Name = Annotated[str, typer.Argument(metavar="NAME", help="A built-in recipe, or the YAML file of your own.")]
AnyName = Annotated[str | None, typer.Argument(metavar="[NAME]", help="A recipe; all of them if not given.")]
SpecOption = Annotated[Path, typer.Option("--spec", metavar="FILE", help="The persona's YAML file.")]
Recipe = Annotated[
    str | None,
    typer.Option("--recipe", metavar="NAME", help="Follow a recipe for people of the bank: see studio recipes."),
]
SHOTS = "Recipe: zero-shot, few-shot, or few-shot whose demonstrations have a persona."
ShotsOption = Annotated[Shots | None, typer.Option("--shots", help=SHOTS)]
Count = Annotated[int | None, typer.Option("--count", "-n", metavar="N", min=1, help="Recipe: how many in all (100).")]
Samples = Annotated[
    int | None,
    typer.Option("--samples", metavar="N", min=0, max=9, help="Recipe: solutions to each problem (3); 0 for none."),
]
World = Annotated[Path | None, typer.Option("--world", metavar="FILE", help="Recipe npc: describes the game's world.")]
COUNT = 100


class ListingByDefault(TyperGroup):
    """``studio recipes`` is ``studio recipes list``."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = [LIST, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=ListingByDefault,
    help="What people of the bank would ask, know, be or need: studio generate SPEC --recipe NAME makes it.",
    epilog="Example: studio recipes show math",
    rich_markup_mode=None,
)


@app.command(LIST)
def listing(spec: SpecOption = DEFAULT_SPEC, workspace: WorkspaceFolder = WORKSPACE, as_json: AsJson = False) -> None:
    """List the recipes, and how much was made by each.

    Example: studio recipes
    """
    runs: list[RunReport] = []
    if spec.exists() and (workspace / load(spec).spec.slug / "examples.db").is_file():
        with open_session(spec, workspace) as session:
            runs = report(session.workspace.documents, recipe_runs(session.workspace.documents))
    rows = [(name, load_recipe(name).what) for name in BUILT_IN]
    rows += [(name, "one of your own") for name in sorted({run.recipe for run in runs} - set(BUILT_IN))]
    made = {name: sum(run.made for run in runs if run.recipe == name) for name, _ in rows}
    if as_json:
        say_json([{"name": name, "what": what, "made": made[name]} for name, what in rows])
        return
    width = max(len(name) for name, _ in rows)
    for name, what in rows:
        count = f" ({made[name]} made)" if made[name] else ""
        say(f"{name:<{width}}  {what}{count}")
    if out.is_terminal:
        tell("studio recipes show NAME prints its prompts; studio generate SPEC --recipe NAME follows it")


@app.command("show")
def show_recipe(
    name: Name,
    spec: SpecOption = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    shots: ShotsOption = None,
    world: World = None,
    seed: Seed = 0,
    file: Annotated[bool, typer.Option("--file", help="Print the recipe itself, to begin one of your own.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print the prompts of the next one. Nobody is asked.

    Example: studio recipes show logic --spec specs/taskmaster.yaml --shots few
    """
    if file:
        load_recipe(name)
        text = recipe_text(name) if name in BUILT_IN else Path(name).read_text(encoding="utf-8-sig")
        say_json({"recipe": name, "file": text}) if as_json else say(text.rstrip())
        return
    with open_session(spec, workspace, seed=seed) as session:
        person, requests = next_prompts(session.loaded, session.workspace, _params(session, name, shots, world=world))
    if as_json:
        prompts = [[message.model_dump() for message in one.messages] for one in requests]
        say_json({"recipe": name, "person": person.id, "prompts": prompts})
        return
    for one in requests[:-1]:
        say("--- once, to infer whose a demonstration is ---")
        _say_messages(one.messages)
    say(f"--- for {person.name or person.id} ---")
    _say_messages(requests[-1].messages)


@app.command("report")
def report_recipes(
    name: AnyName = None,
    spec: SpecOption = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    shots: ShotsOption = None,
    as_json: AsJson = False,
) -> None:
    """Tell counts, agreement of solutions, duplicates, lengths, validity and cost.

    Example: studio recipes report math --json
    """
    with open_session(spec, workspace) as session:
        documents = session.workspace.documents
        found = report(documents, _runs(documents, name, shots))
    if as_json:
        say_json({"runs": [one.model_dump(mode="json") for one in found]})
        return
    for one in found:
        say_report(one)


@app.command("review")
def review_recipes(
    name: Name,
    spec: SpecOption = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    shots: ShotsOption = None,
    share: Annotated[float, typer.Option("--share", min=0, max=1, help="The part of what was made.")] = 0.05,
    least: Annotated[int, typer.Option("--least", metavar="N", min=1, help="The least number.")] = 5,
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Whose verdicts these are.")] = "",
    export: Annotated[Path | None, typer.Option("--export", metavar="FILE", help="Write the sample.")] = None,
    verdicts: Annotated[Path | None, typer.Option("--import", metavar="FILE", help="Read a filled-in export.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say of a sample whether each is valid, one key each; in a script by a file out and in.

    What is made is no example of the persona, so nothing of this counts in triage or is trained on.

    Example: studio recipes review math --spec specs/taskmaster.yaml
    """
    if export and verdicts:
        raise UserError("--export and --import at once", remedy="export first, fill in the verdicts, then import")
    with open_session(spec, workspace) as session:
        documents = session.workspace.documents
        runs = _runs(documents, name, shots)
        reviews = [Review(documents, run, share=share, least=least) for run in runs]
        if export:
            tell(f"{write_sample(reviews, export)} to review: {export}")
        elif verdicts:
            tell(f"{read_verdicts(reviews, verdicts, by=by)} verdicts taken")
        else:
            with terminal_keys() as keys:
                all(sit(one, keys, say, by=by) for one in reviews)
        found = {run.title: one.validity for run, one in zip(runs, reviews, strict=True)}
    if as_json:
        say_json({title: one.model_dump() for title, one in found.items()})
        return
    for title, one in found.items():
        say(f"{title}: {validity_line(one)}")


@app.command("export")
def export_made(
    name: Name,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A name that ends in .jsonl or .parquet.")],
    spec: SpecOption = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    shots: ShotsOption = None,
    messages: Annotated[
        bool, typer.Option("--messages", help="Conversations: the problem, then its solution.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write what a recipe made: Persona Hub's JSON lines, ChatML messages or Parquet.

    Example: studio recipes export math math.jsonl --messages
    """
    with open_session(spec, workspace) as session:
        documents = session.workspace.documents
        shape = "messages" if messages else "hub"
        count = export_recipes(documents, _runs(documents, name, shots), file, shape=shape, force=force)  # type: ignore[arg-type]
    say_json({"path": str(file), "count": count}) if as_json else say(f"{count} written: {file}")


def follow(
    session: Session,
    recipe: str,
    shots: Shots | None,
    count: int | None,
    samples: int | None,
    world: Path | None,
    as_json: bool,
) -> None:
    """``studio generate --recipe``."""
    asked = _params(session, recipe, shots, count=count, samples=samples, world=world)
    run = prepared(asked.model_copy(update={"recipe": recipe, "world": str(world) if world else None})).run
    end = show(items_stage, session, STAGE, ENTRY, asked)
    documents = session.workspace.documents
    (found,) = (one for one in report(documents, recipe_runs(documents)) if one.kind == run.kind)
    if as_json:
        say_json(end.model_dump(mode="json") | {"report": found.model_dump(mode="json")})
        return
    say(ending(end))
    if end.note:
        tell_prose(end.note)
    say_report(found)
    if found.validity.reviewed < found.validity.wanted:
        left = found.validity.wanted - found.validity.reviewed
        tell(f"{left} wait for review: studio recipes review {found.recipe} --spec {session.loaded.path}")


def refuse_without(recipe: str | None, **given: Any) -> None:
    """Raises :class:`UserError` where options of recipes are given and no recipe is, or those of examples with one."""
    mine = ("shots", "count", "samples", "world")
    wrong = [
        name for name, value in given.items() if value not in (None, False) and (name in mine) != (recipe is not None)
    ]
    if wrong and recipe is None:
        raise UserError(
            f"--{wrong[0]} is an option of recipes", remedy="name one: --recipe NAME; studio recipes lists them"
        )
    if wrong:
        remedy = (
            "its prompts: studio recipes show" if wrong[0] == "preview" else "leave it out; --count N says how many"
        )
        raise UserError(f"--{wrong[0]} is no option of recipes", remedy=remedy)


def _params(session: Session, recipe: str, shots: Shots | None, **more: Any) -> RecipeParams:
    world, count, samples = more.get("world"), more.get("count"), more.get("samples")
    return RecipeParams(
        spec_path=str(session.loaded.path),
        workspace=str(session.root),
        settings=session.settings,
        seed=session.seed,
        concurrency=session.concurrency,
        recipe=recipe if recipe in BUILT_IN or not Path(recipe).exists() else str(Path(recipe).absolute()),
        shots=shots or "persona",
        count=COUNT if count is None else count,
        samples=SAMPLES if samples is None else samples,
        world=None if world is None else str(world.absolute()),
    )


def _runs(documents: Documents, name: str | None, shots: Shots | None) -> list[RecipeRun]:
    """The runs of a recipe, by its name or its file. Raises :class:`UserError` where there is none."""
    if name is not None and name.endswith((".yaml", ".yml")):
        name = load_recipe(name).name
    found = recipe_runs(documents, name, shots)
    if not found:
        what = " ".join(part for part in (name or "", shots or "") if part) or "any recipe"
        raise UserError(f"nothing was made by {what} here", remedy="studio generate SPEC --recipe NAME makes some")
    return found


def _say_messages(messages: Any) -> None:
    for message in messages:
        say(f"{message.role}:\n{message.content}\n")
