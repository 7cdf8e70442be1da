"""Opening a spec and its workspace, and measuring its judge: imported and run after the first paint, in threads."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from studio.build import Session
from studio.build.authors import roles
from studio.doctor import Environment, environment
from studio.judge import LEARNED, judge_agreement, open_judge
from studio.llm import ModelSettings
from studio.spec import LoadedSpec, load
from studio.store import Owner, Workspace
from studio.tui.live.state import Memory


def open_session(
    loaded: LoadedSpec, root: Path, settings: ModelSettings, base: str | None, before: Session | None
) -> tuple[Session, Memory]:
    """The session for a spec; the workspace of ``before`` is kept unless the persona got another name."""
    if before is not None and before.loaded.spec.slug == loaded.spec.slug:
        return replace(before, loaded=loaded), Memory(before.workspace.studio)
    workspace = Workspace.open(root, loaded.spec.slug, Owner.of(loaded.spec.name, loaded.path))
    session = Session(loaded=loaded, workspace=workspace, root=root, settings=settings, base=base)
    return session, Memory(workspace.studio)


def unmeasured(found: Environment) -> bool:
    """Whether a learned judge is at work of which nobody knows yet how far it agrees with people."""
    return found.judge == LEARNED and found.agreement is None


def environment_with(session: Session) -> Environment:
    """What is found with the session's settings, which changed; ``nvidia-smi`` may take seconds."""
    at_work = roles(session.settings, session.loaded).model_dump()
    return environment(session.settings, base=session.base_model, folder=session.root, **at_work)


def environment_of(found: Environment, session: Session) -> Environment:
    """What was found, with the base model, the author and the judge of the session."""
    return found.on(session.base_model, **roles(session.settings, session.loaded).model_dump())


def measure_apart(spec_path: Path) -> None:
    """Measure the learned judge's agreement and keep it in the user's cache, where :func:`studio.judge.known_agreement`
    finds it. Learning takes both cores for up to half a minute, which the window's thread would feel: it is a process
    of its own, which outlives the window. Blocks; what goes wrong is told when the judge is next used."""
    command, nowhere = [sys.executable, "-m", "studio.tui.live.session", str(spec_path)], subprocess.DEVNULL
    subprocess.run(command, check=False, start_new_session=True, stdin=nowhere, stdout=nowhere, stderr=nowhere)


if __name__ == "__main__":
    os.nice(10)
    spec = load(Path(sys.argv[1]))
    asyncio.run(judge_agreement(spec, open_judge(ModelSettings(), spec)))
