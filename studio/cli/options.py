"""The options that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from studio.errors import UserError
from studio.train.types import MAX_SEED, Method

DEFAULT_SPEC = Path("specs/taskmaster.yaml")


def named(spec: Path) -> Path:
    """``spec``, unless it is the one that is taken where none is named, and not there. Raises UserError."""
    if spec == DEFAULT_SPEC and not spec.exists():
        raise UserError(f"there is no {spec} here", remedy="name a spec, or write one: studio spec new NAME")
    return spec


SpecFile = Annotated[Path, typer.Argument(metavar="SPEC", help="The persona's YAML file.", show_default=True)]
WorkspaceFolder = Annotated[
    Path, typer.Option("--workspace", metavar="DIR", help="Where the work is kept.", envvar="STUDIO_WORKSPACE")
]
Endpoint = Annotated[
    str | None,
    typer.Option("--endpoint", metavar="URL", help="An OpenAI-compatible server, such as http://localhost:8000/v1."),
]
Model = Annotated[str | None, typer.Option("--model", metavar="NAME", help="The author (and the judge, if alone).")]
Author = Annotated[
    str | None,
    typer.Option(
        "--author",
        metavar="local:MODEL",
        help="Let the studio serve the chat model that writes: smollm2, a hub id or a folder.",
    ),
]
JudgeModel = Annotated[str | None, typer.Option("--judge-model", metavar="NAME", help="The judge, if not the author.")]
Base = Annotated[
    str | None,
    typer.Option("--base", metavar="MODEL", help="Base model instead of the spec's: smollm2, a hub id or a folder."),
]
Examples = Annotated[
    int | None, typer.Option("--examples", metavar="N", min=1, help="Accepted examples wanted, instead of the spec's.")
]
Seed = Annotated[
    int,
    typer.Option("--seed", metavar="N", min=0, max=MAX_SEED, help="The same seed gives the same offline result."),
]
TrainMethod = Annotated[
    Method | None, typer.Option("--method", help="How to train: lora, or qlora, which loads the base model in 4 bits.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on the last line of stdout.")]
WORKSPACE = Path("workspace")
