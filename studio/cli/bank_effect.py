"""``studio bank effect``: how much changing the person changes what is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from studio.build.items import items_stage
from studio.cli import options
from studio.cli.bank_model import JUDGES
from studio.cli.display import show
from studio.cli.options import DEFAULT_SPEC, OFFLINE, WORKSPACE, asks_models, open_session
from studio.cli.output import cell, out, say, say_json, tell_prose
from studio.embed import disk_embedder
from studio.files import as_seen, write_atomic
from studio.generate.effect import MEASURES, Change, Effect, Measure
from studio.generate.effect_chart import svg
from studio.generate.effect_job import LEAST, EffectParams, asked_effect, stored_effect
from studio.llm import ModelSettings

ASK = f"Have the author write N turns, {LEAST} a scenario; without it the stored examples are compared."
SEED = "Another seed draws other scenarios and people; the same one goes on where it was."
BAR = 20


@asks_models(*JUDGES)
def effect(
    spec: options.SpecFile = DEFAULT_SPEC,
    workspace: options.WorkspaceFolder = WORKSPACE,
    ask: Annotated[int | None, typer.Option("--ask", metavar="N", min=LEAST, help=ASK)] = None,
    picture: Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Write the picture there.")] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help=SEED)] = 0,
    concurrency: Annotated[
        int | None, typer.Option("--concurrency", metavar="N", min=1, max=1024, help="Calls at once.")
    ] = None,
    settings: ModelSettings = OFFLINE,
    as_json: options.AsJson = False,
) -> None:
    """Tell how much changing the person changes the user's turn, and which fields of a person act.

    The same scenario is asked for several people, and for the same person with several seeds.

    Example: studio bank effect specs/taskmaster.yaml --ask 165 --svg effect.svg
    """
    with open_session(spec, workspace, settings, seed=seed) as session:
        complete = True
        if ask is not None:
            params = EffectParams(
                spec_path=str(session.loaded.path),
                workspace=str(session.root),
                settings=settings,
                seed=seed,
                concurrency=concurrency,
                ask=ask,
            )
            end = show(items_stage, session, "effect", "studio.generate.effect_job:main", params)
            complete = end.complete
            if end.note:
                tell_prose(end.note)
            author = settings.author_local or settings.model or ""
            found = asked_effect(session.loaded, session.workspace, ask, seed, author, disk_embedder())
        else:
            found = stored_effect(session.loaded, session.workspace, disk_embedder(), seed)
    if picture is not None:
        write_atomic(picture, svg(found))
    if as_json:
        drawn = None if picture is None else as_seen(picture)
        more = {"acting": found.acting, "told": found.told, "complete": complete, "svg": drawn}
        say_json(found.model_dump(mode="json") | more)
        return
    _table(found)
    say(found.told)
    if found.note:
        tell_prose(found.note)
    if picture is not None:
        say(f"picture: {as_seen(picture)}")


def register(group: typer.Typer) -> None:
    """Add this command to those of ``studio bank``."""
    group.command("effect")(effect)


def _table(found: Effect) -> None:
    say(f"{found.source}, {found.scenarios} scenarios, {found.people} people")
    table = Table(box=None, pad_edge=False)
    table.add_column(cell("share, %"), no_wrap=True)
    for name in MEASURES:
        table.add_column(cell(name), justify="right", no_wrap=True)
    table.add_column(cell("p"), justify="right", no_wrap=True)
    for one in (found.person, *found.fields):
        table.add_row(cell(one.what), *(cell(_share(part)) for part in one.measures), cell(f"{one.p:.3f}"))
    out.print(table)
    for one in (found.person, *found.fields):
        acts = "acts" if one.acts else "cannot be told from chance"
        out.print(cell(f"{one.what:<14} {_bar(one)} {one.strongest.share:4.0%} of {one.strongest.name}, {acts}"))


def _share(part: Measure) -> str:
    if part.low is None or part.high is None:
        return f"{100 * part.share:.0f}"
    return f"{100 * part.share:.0f} ({100 * part.low:.0f}..{100 * part.high:.0f})"


def _bar(one: Change) -> str:
    """The largest of its shares, dark where it can be told from chance."""
    filled = round(BAR * min(1.0, max(0.0, one.strongest.share)))
    return ("█" if one.acts else "░") * filled + "·" * (BAR - filled)
