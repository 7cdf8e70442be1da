"""``studio evaluate suites``: drift, pressure, leak and capability of a run, beside its probes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from studio.build.items import check_model
from studio.build.suites import suite_params, suites_stage
from studio.cli import options
from studio.cli.display import show
from studio.cli.evaluate import chosen_run
from studio.cli.options import DEFAULT_SPEC, OFFLINE, WORKSPACE, asks_models, open_session
from studio.cli.output import say, say_json
from studio.cli.suite_text import print_suites
from studio.errors import UserError
from studio.evaluate.suites import SUITES, SuiteName
from studio.evaluate.suites.job import GENERATED
from studio.evaluate.suites.suite import built_in_text, check_suite
from studio.evaluate.suites.written import MOST, write_pressure
from studio.files import as_seen, write_atomic
from studio.inference import CountedCalls
from studio.llm import ModelSettings, author_model, check_budget, learned_at

SUITE = f"Of {', '.join(SUITES)}, or a file that adds to one; all four if not given."
WRITE = "Have the author write N requests for each boundary of the spec, into the file of --out; play nothing."
SHOW = "Print a built-in suite's file, to begin one of your own, and ask nobody."


@asks_models("author")
def suites(
    spec: options.SpecFile = DEFAULT_SPEC,
    workspace: options.WorkspaceFolder = WORKSPACE,
    run: options.RunId = None,
    suite: Annotated[list[str] | None, typer.Option("--suite", metavar="NAME,...|FILE", help=SUITE)] = None,
    generated: Annotated[
        int, typer.Option("--generated", metavar="N", min=0, max=10_000, help="Capability items made by rule.")
    ] = GENERATED,
    seed: options.Seed = 0,
    show_file: Annotated[str | None, typer.Option("--show", metavar="NAME", help=SHOW)] = None,
    write: Annotated[int | None, typer.Option("--write", metavar="N", min=1, max=MOST, help=WRITE)] = None,
    path: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Where --write puts them.")] = None,
    settings: ModelSettings = OFFLINE,
    as_json: options.AsJson = False,
) -> None:
    """Play the suites beside the probes through base, prompted base and tuned: drift over a talk, pressure to drop the
    persona, leaks into plain work, capability before and after.

    Files in the folder suites/ beside the spec add to them. They decide nothing unless the spec's success.suites does.

    Example: studio evaluate suites specs/taskmaster.yaml --suite drift,pressure
    """
    if show_file is not None:
        say(built_in_text(_name(show_file)))
        return
    if write is not None:
        say(f"written: {as_seen(_write(spec, workspace, settings, write, path, seed))}; read it before you play it")
        return
    names, files = asked(suite or ())
    with open_session(spec, workspace, settings, seed=seed) as session:
        chosen = chosen_run(session, run)
        more = {"suites": names, "files": files, "seed": seed, "generated": generated}
        reports = show(suites_stage, session, chosen, suite_params(session, chosen, **more))
    if as_json:
        say_json({"run_id": chosen.plan.run_id, "suites": [report.model_dump(mode="json") for report in reports]})
    else:
        print_suites(reports)


def _write(spec: Path, workspace: Path, settings: ModelSettings, count: int, path: Path | None, seed: int) -> Path:
    """Requests of the author's as a file, which may not be there yet."""
    if path is None or path.exists():
        remedy = "a new one, such as suites/boundaries.yaml beside the spec"
        raise UserError("name a new file for them: --out FILE", where=str(path or "--write"), remedy=remedy)
    with open_session(spec, workspace, settings, seed=seed) as session:
        check_model(session, "--write")

        async def work() -> str:
            await check_budget(settings, judge=False)
            async with learned_at(session.workspace.folder):
                model = author_model(settings, CountedCalls(session.workspace.examples))
                try:
                    return await write_pressure(session.loaded, model, count, seed)
                finally:
                    await model.close()

        text = asyncio.run(work())
        check_suite(text, str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, text)
    return path


def asked(given: list[str] | tuple[str, ...]) -> tuple[tuple[SuiteName, ...], tuple[str, ...]]:
    """Names and files of what was given, each of which may be several separated by commas."""
    names: list[SuiteName] = []
    files: list[str] = []
    for one in (part.strip() for whole in given for part in whole.split(",") if part.strip()):
        if "/" in one or one.endswith((".yaml", ".yml")):
            files.append(str(Path(one).absolute()))
        else:
            names.append(_name(one))
    return tuple(names) if names or files else SUITES, tuple(files)


def _name(given: str) -> SuiteName:
    for name in SUITES:
        if given == name:
            return name
    raise UserError(f"no such suite: {given}", remedy=f"one of {', '.join(SUITES)}, or a YAML file of your own")
