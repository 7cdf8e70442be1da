"""Authors: who could write examples here, told before anybody is asked, and a local model served to write them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from statistics import fmean
from typing import Any, Literal
from urllib.parse import urlsplit

from studio.build.session import Session, StageError
from studio.chatml import Frozen
from studio.errors import UserError
from studio.files import as_seen
from studio.generate import RECORDED, GenerateParams
from studio.generate import job as generate_job
from studio.generate.author import open_author
from studio.jobs import JobContext
from studio.judge import NOBODY, known_agreement, open_judge
from studio.llm import LocalServer, ModelSettings, check_budget, find_servers
from studio.serve import ServeParams, Server, ensure, served_settings
from studio.spec import LoadedSpec
from studio.store import Workspace
from studio.train import resolve_base

_REMOTE = "a model elsewhere: --endpoint URL --model NAME, or OPENAI_API_KEY"
Kind = Literal["served", "endpoint", "key", "recording", "server", "local", "hand", "import"]

_NAMED = 3
"""So many of a server's models are named."""
_GB_PER_BILLION = {"GPU": 2, "CPU": 4}
"""Of weights alone: bfloat16 on a GPU, float32 without one."""


class AuthorChoice(Frozen):
    """One who could write. ``how`` is what to type, or to do, to begin; ``ready`` is what happens without more ado."""

    kind: Kind
    text: str
    how: str = ""
    ready: bool = False
    settings: ModelSettings | None = None
    """What to go on with once the user says yes, where the choice is one of settings."""


def who_could_write(
    settings: ModelSettings,
    *,
    spec: str = "SPEC",
    recorded: int = 0,
    servers: Sequence[LocalServer] = (),
    gpu: str | None = None,
    can_serve: bool = True,
) -> list[AuthorChoice]:
    """All who could write examples, those who are ready first, then those who need a yes, then oneself.

    ``recorded`` is how many conversations of the recording beside the spec have not been played yet, ``servers`` those
    found by :func:`studio.llm.find_servers`, ``gpu`` the device that models may use, ``can_serve`` whether the
    libraries to serve one are installed. Asks nobody.
    """
    found = _chosen(settings)
    if recorded:  # it plays where no model writes
        ready, text = settings.author_offline, f"the recording beside this spec: {recorded} conversations left"
        how = "" if ready else "name no endpoint and no key"
        found.append(AuthorChoice(kind="recording", text=text, ready=ready, how=how))
    in_use = urlsplit(settings.url).port if settings.endpoint is not None and settings.local else None
    found += [
        _server(settings, one, spec) for one in servers if in_use is None or urlsplit(one.endpoint).port != in_use
    ]
    needs = f"{_GB_PER_BILLION['GPU' if gpu else 'CPU']} GB of memory a billion parameters"
    slow = "" if gpu else ", slow; smollm2 is too small to write"
    text = f"any chat model of the hub or a folder, served by the studio on {gpu or 'the CPU'}: {needs}{slow}"
    install = "" if can_serve else "pip install '.[train]', then "
    theirs = "examples that you have: JSON lines of messages"
    return [
        *found,
        AuthorChoice(kind="local", text=text, how=f"{install}studio build {spec} --author local:MODEL"),
        AuthorChoice(kind="hand", text="you, one example at a time", how=f"studio triage new {spec}"),
        AuthorChoice(kind="import", text=theirs, how=f"studio triage import {spec} FILE"),
    ]


def _chosen(settings: ModelSettings) -> list[AuthorChoice]:
    """The author of the settings, where they name one."""
    if settings.author_local is not None:
        text = f"{settings.author_local}, served by the studio"
        return [AuthorChoice(kind="served", text=text, ready=True, settings=settings)]
    if settings.offline:
        return []
    kind: Kind = "endpoint" if settings.endpoint or settings.uds else "key"
    where = settings.place if kind == "endpoint" else f"{settings.place}, by the key in {settings.key_variable}"
    if settings.model is None:
        return [AuthorChoice(kind=kind, text=f"a model at {where}", how="name it: --model NAME, or STUDIO_MODEL")]
    return [AuthorChoice(kind=kind, text=f"{settings.model} at {where}", ready=True, settings=settings)]


def _server(settings: ModelSettings, server: LocalServer, spec: str) -> AuthorChoice:
    place = f"{server.name}, found running at {server.endpoint}"
    begin = f"studio build {spec} --endpoint {server.endpoint} --model "
    if server.needs_key:
        return AuthorChoice(kind="server", text=f"{place}: wants a key", how=f"OPENAI_API_KEY=... {begin}NAME")
    if not server.models:
        return AuthorChoice(kind="server", text=f"{place}: has no model yet", how="load one there")
    more = ", ..." if len(server.models) > _NAMED else ""
    update = {"endpoint": server.endpoint, "uds": None, "model": server.models[0], "key_variable": None}
    text = f"{place}: {', '.join(server.models[:_NAMED])}{more}"
    return AuthorChoice(
        kind="server", text=text, how=f"{begin}{server.models[0]}", settings=settings.model_copy(update=update)
    )


def recorded_left(loaded: LoadedSpec, root: Path) -> int:
    """Conversations of the recording beside the spec that the workspace under ``root`` does not have yet.

    Looks only: makes no workspace, and counts lines without judging them. 0 where there is no recording to be read.
    """
    if loaded.recorded_path is None:
        return 0
    try:
        lines = loaded.recorded_path.read_bytes().splitlines()
    except OSError:
        return 0
    held, folder = sum(1 for line in lines if line.strip()), root / loaded.spec.slug
    if not (folder / "examples.db").is_file():
        return held
    with closing(Workspace.open(root, loaded.spec.slug)) as workspace:
        return max(0, held - sum(row.example.author == RECORDED for row in workspace.examples.each()))


class Roles(Frozen):
    """Who writes and who judges, where that is no model of the settings, and how far the judge agrees with people."""

    author: str | None = None
    judge: str | None = None
    agreement: float | None = None
    """The mean over traits of its quadratic-weighted kappa, as measured before; None where it was not."""


def roles(settings: ModelSettings, loaded: LoadedSpec) -> Roles:
    """Reads files, asks nobody and measures nothing. Whoever cannot be had is left out."""
    author = RECORDED if settings.author_offline and loaded.recorded_path else None
    try:
        judge = open_judge(settings, loaded)
        known = known_agreement(loaded, judge)
    except UserError:  # no model is named, or the labels cannot be read: said where it stops somebody
        return Roles(author=author)
    kappas = [trait.kappa for trait in known.traits.values() if trait.kappa is not None] if known else []
    return Roles(
        author=author,
        judge=judge.name if settings.judging.offline and judge.name != NOBODY else None,
        agreement=fmean(kappas) if kappas else None,
    )


async def check_models(session: Session) -> None:
    """Whether somebody is there to write, before a job is started for it.

    Raises :class:`UserError` with all who could, where nobody is; and where a model is not named or cannot be had.
    """
    settings = session.settings
    if settings.author_local is not None:
        await asyncio.to_thread(resolve_base, settings.author_local)
    elif not settings.offline:
        await open_author(settings, session.loaded, session.workspace.examples).close()
    elif session.loaded.recorded_path is None:
        choices = who_could_write(settings, spec=as_seen(session.loaded.path), servers=await find_servers())
        ways = [*(f"{choice.text}: {choice.how}" for choice in choices), _REMOTE]
        raise StageError("nobody is there to write examples", where="author", remedy="; or ".join(ways))
    if not settings.judging.offline:
        await open_judge(settings, session.loaded, session.workspace.examples).close()
    await check_budget(settings)


def generate_entry(settings: ModelSettings) -> str:
    """The entry of the job that generates: with a worker beside it where the studio serves the author."""
    return "studio.generate.job:main" if settings.author_local is None else "studio.build.authors:main"


async def main(params: dict[str, Any], context: JobContext) -> None:
    """Entry of the generating job whose author the studio serves: it holds the author's worker until its own end."""
    asked = GenerateParams.model_validate(params, extra="ignore")
    assert asked.settings.author_local is not None, "generate_entry gives another entry"
    with await serve_author(context.folder.parent, asked.settings.author_local) as server:
        settings = asked.settings.model_copy(update={"author_served": served_settings(server.ready, "base")})
        with_author = asked.model_copy(update={"settings": settings})
        await generate_job.main(with_author.model_dump(mode="json"), context)


async def serve_author(jobs_dir: Path, model: str) -> Server:
    """The worker that serves ``model`` (``smollm2``, a hub id, a folder) as it is; see :func:`studio.serve.ensure`."""
    return await ensure(jobs_dir, ServeParams(base_path=await asyncio.to_thread(resolve_base, model)))
