"""Running async work from a command, with an orderly end when it is interrupted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

from studio.build import BuildEnded, Session
from studio.build.types import BuildEvent
from studio.cli.display import display
from studio.cli.options import named
from studio.llm import resolve_settings
from studio.spec import load
from studio.store import Owner, Workspace


@contextmanager
def open_session(
    spec: Path,
    root: Path,
    *,
    endpoint: str | None = None,
    model: str | None = None,
    judge_model: str | None = None,
    author: str | None = None,
    base: str | None = None,
    examples: int | None = None,
    seed: int = 0,
    recipe: dict[str, object] | None = None,
) -> Iterator[Session]:
    """A loaded spec in its opened workspace."""
    loaded = load(named(spec))
    workspace = Workspace.open(root.absolute(), loaded.spec.slug, Owner.of(loaded.spec.name, loaded.path))
    try:
        yield Session(
            loaded=loaded,
            workspace=workspace,
            root=root.absolute(),
            settings=resolve_settings(endpoint=endpoint, model=model, judge_model=judge_model, author=author),
            base=base,
            examples=examples,
            seed=seed,
            recipe={name: value for name, value in (recipe or {}).items() if value is not None},
        )
    finally:
        workspace.close()


def show(events: AsyncIterator[BuildEvent]) -> BuildEnded | None:
    """Show events as they come; the last one where they are a whole build's."""
    return asyncio.run(_show(events))


async def _show(events: AsyncIterator[BuildEvent]) -> BuildEnded | None:
    ended = None
    with display() as face:
        async for event in events:
            face.show(event)
            if isinstance(event, BuildEnded):
                ended = event
    return ended
