"""The options that commands share, and the session that they open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast, get_type_hints

import typer

from studio.build import Session
from studio.errors import UserError
from studio.llm import ModelSettings, resolve_settings
from studio.spec import load
from studio.store import Owner, Workspace
from studio.train.types import MAX_SEED, Method

Command = TypeVar("Command", bound=Callable[..., object])


def _text(option: str, metavar: str, what: str) -> Any:
    return Annotated[str | None, typer.Option(option, metavar=metavar, help=what)]


DEFAULT_SPEC = Path("specs/taskmaster.yaml")
WORKSPACE = Path("workspace")
OFFLINE = ModelSettings()
SpecFile = Annotated[Path, typer.Argument(metavar="SPEC", help="The persona's YAML file.")]
WorkspaceFolder = Annotated[
    Path, typer.Option("--workspace", metavar="DIR", help="Where the work is kept.", envvar="STUDIO_WORKSPACE")
]
AUTHOR = "Let the studio serve the chat model that writes: smollm2, a hub id or a folder."
MAX_COST = "What all calls on record of the workspace may cost together, in US dollars."
MODELS: dict[str, Any] = {
    "endpoint": _text("--endpoint", "URL", "An OpenAI-compatible server, such as http://localhost:8000/v1."),
    "model": _text("--model", "NAME", "The author (and the judge, if alone)."),
    "key_variable": _text("--key-variable", "NAME", "The environment variable with the key, if not OPENAI_API_KEY."),
    "judge_endpoint": _text("--judge-endpoint", "URL", "The server of the judge, if another one."),
    "judge_model": _text("--judge-model", "NAME", "The judge, if not the author."),
    "judges": _text("--judges", "NAME,NAME", "Several judges, whose median stands."),
    "judge_samples": Annotated[
        int | None, typer.Option("--judge-samples", metavar="N", min=1, max=9, help="Ask each judge N times a reply.")
    ],
    "judge_key_variable": _text("--judge-key-variable", "NAME", "The same for the judge's own server."),
    "author": _text("--author", "local:MODEL", AUTHOR),
    "max_cost": Annotated[float | None, typer.Option("--max-cost", metavar="USD", min=0, help=MAX_COST)],
    "retry_failed": Annotated[bool, typer.Option("--retry-failed", help="Ask again what was refused or given up.")],
}
"""The options that :func:`studio.llm.resolve_settings` takes, by its names."""
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
PREVIEW = "Show the prompts of the next N examples (5), make those, and say what the whole will take."
Preview = Annotated[int | None, typer.Option("--preview", metavar="[N]", min=1, help=PREVIEW)]
VALUES = {"--preview": "5", "--preview-mask": "3"}
RUN = "A training run by id, the beginning of one, or name; the newest if not given."
RunId = Annotated[str | None, typer.Option("--run", metavar="RUN", help=RUN)]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on the last line of stdout.")]


def group(what: str, example: str) -> typer.Typer:
    """A command that is a group of others."""
    return typer.Typer(help=what, epilog=f"Example: {example}", no_args_is_help=True, rich_markup_mode=None)


def with_values(arguments: list[str]) -> list[str]:
    """The arguments with the value of each option that may go without one."""
    found: list[str] = []
    for one, after in zip(arguments, (*arguments[1:], ""), strict=True):
        found += [one, VALUES[one]] if one in VALUES and not after.isdecimal() else [one]
    return found


def named(spec: Path) -> Path:
    """``spec``, unless it is the one that is taken where none is named, and not there. Raises UserError."""
    if spec == DEFAULT_SPEC and not spec.exists():
        raise UserError(f"there is no {spec} here", remedy="name a spec, or write one: studio spec new NAME")
    return spec


def asks_models(*without: str) -> Callable[[Command], Command]:
    """Give a command, in the place of its parameter ``settings``, the options that say which models are asked, but for
    those named."""

    def given(command: Command) -> Command:
        hints = get_type_hints(command, include_extras=True)
        more = [
            Parameter(name, Parameter.KEYWORD_ONLY, default=None if name != "retry_failed" else False, annotation=kind)
            for name, kind in MODELS.items()
            if name not in without
        ]
        parameters: list[Parameter] = []
        for name, one in signature(command).parameters.items():
            parameters += more if name == "settings" else [one.replace(annotation=hints[name], kind=one.KEYWORD_ONLY)]

        @wraps(command)
        def resolved(**given: Any) -> object:
            asked = {one.name: given.pop(one.name) for one in more}
            return command(settings=resolve_settings(**asked), **given)

        resolved.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        resolved.__annotations__ = {one.name: one.annotation for one in parameters}
        return cast("Command", resolved)

    return given


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
    check_fit: bool = False,
    recipe: dict[str, Any] | None = None,
    snapshot: str | None = None,
) -> Iterator[Session]:
    """A loaded spec in its opened workspace. What is None in ``recipe`` is the preset's."""
    loaded = load(named(spec))
    chosen = {name: value for name, value in (recipe or {}).items() if value is not None}
    settings, owner = settings or resolve_settings(), Owner.of(loaded.spec.name, loaded.path)
    with closing(Workspace.open(root.absolute(), loaded.spec.slug, owner)) as workspace:
        more = (base, chosen, examples, snapshot, seed, concurrency, check_fit)
        yield Session(loaded, workspace, root.absolute(), settings, *more)
