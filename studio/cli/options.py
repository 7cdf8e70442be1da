"""The options that commands share, and the session that they open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from studio.build import Session
from studio.errors import UserError
from studio.llm import ModelSettings, resolve_settings
from studio.spec import load
from studio.store import Owner, Workspace
from studio.train.types import MAX_SEED, Method

DEFAULT_SPEC = Path("specs/taskmaster.yaml")
WORKSPACE = Path("workspace")
SpecFile = Annotated[Path, typer.Argument(metavar="SPEC", help="The persona's YAML file.")]
WorkspaceFolder = Annotated[
    Path, typer.Option("--workspace", metavar="DIR", help="Where the work is kept.", envvar="STUDIO_WORKSPACE")
]
Endpoint = Annotated[
    str | None,
    typer.Option("--endpoint", metavar="URL", help="An OpenAI-compatible server, such as http://localhost:8000/v1."),
]
Model = Annotated[str | None, typer.Option("--model", metavar="NAME", help="The author (and the judge, if alone).")]
AUTHOR = "Let the studio serve the chat model that writes: smollm2, a hub id or a folder."
Author = Annotated[str | None, typer.Option("--author", metavar="local:MODEL", help=AUTHOR)]
JudgeModel = Annotated[str | None, typer.Option("--judge-model", metavar="NAME", help="The judge, if not the author.")]
BASE = "Base model instead of the spec's: smollm2, a hub id or a folder."
Base = Annotated[str | None, typer.Option("--base", metavar="MODEL", help=BASE)]
Examples = Annotated[
    int | None, typer.Option("--examples", metavar="N", min=1, help="Accepted examples wanted, instead of the spec's.")
]
CONCURRENCY = "Examples under way at once, also of a job that runs already; auto follows what the server bears."
Concurrency = Annotated[str | None, typer.Option("--concurrency", metavar="N|auto", help=CONCURRENCY)]
SEED = "The same seed gives the same offline result."
Seed = Annotated[int, typer.Option("--seed", metavar="N", min=0, max=MAX_SEED, help=SEED)]
TrainMethod = Annotated[
    Method | None, typer.Option("--method", help="How to train: lora, or qlora, which loads the base model in 4 bits.")
]
RunId = Annotated[str | None, typer.Option("--run", metavar="ID", help="A training run; the newest one if not given.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on the last line of stdout.")]


def group(what: str, example: str) -> typer.Typer:
    """A command that is a group of others."""
    return typer.Typer(help=what, epilog=f"Example: {example}", no_args_is_help=True, rich_markup_mode=None)


def named(spec: Path) -> Path:
    """``spec``, unless it is the one that is taken where none is named, and not there. Raises UserError."""
    if spec == DEFAULT_SPEC and not spec.exists():
        raise UserError(f"there is no {spec} here", remedy="name a spec, or write one: studio spec new NAME")
    return spec


@contextmanager
def open_session(
    spec: Path,
    root: Path,
    settings: ModelSettings | None = None,
    *,
    base: str | None = None,
    examples: int | None = None,
    seed: int = 0,
    concurrency: int | None = None,
    recipe: dict[str, Any] | None = None,
) -> Iterator[Session]:
    """A loaded spec in its opened workspace. What is None in ``recipe`` is the preset's."""
    loaded = load(named(spec))
    chosen = {name: value for name, value in (recipe or {}).items() if value is not None}
    settings, owner = settings or resolve_settings(), Owner.of(loaded.spec.name, loaded.path)
    with closing(Workspace.open(root.absolute(), loaded.spec.slug, owner)) as workspace:
        yield Session(loaded, workspace, root.absolute(), settings, base, chosen, examples, seed, concurrency)
