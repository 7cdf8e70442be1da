"""Opening a spec and its workspace: imported and run off the UI thread, after the first paint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from studio.build import Session
from studio.build.authors import roles
from studio.doctor import Environment, environment
from studio.judge import LEARNED
from studio.llm import ModelSettings
from studio.spec import LoadedSpec, load
from studio.store import Owner, Workspace
from studio.tui.memory import Memory


def load_spec(path: Path) -> LoadedSpec:
    """Raises SpecError with every problem."""
    return load(path)


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
