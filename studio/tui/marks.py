"""How the stages stand: which has what it makes, and which is the next that wants somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.tui.snapshot import Mark

if TYPE_CHECKING:
    from studio.build import Session

ORDER = ("spec", "generate", "train", "evaluate", "package")
"""The way through; bank, triage and chat help on it and are never demanded."""


def marks_of(session: Session) -> dict[str, Mark]:
    """A mark a stage, from what the workspace holds. Reads the disk."""
    done = _done(session)
    marks: dict[str, Mark] = {stage: "done" if is_done else "none" for stage, is_done in done.items()}
    for stage in ORDER:
        if not done[stage]:
            marks[stage] = "needs"
            break
    return marks


def _done(session: Session) -> dict[str, bool]:
    from studio.build.stages import standing
    from studio.evaluate import evaluations
    from studio.package import packages
    from studio.train import runs
    from studio.triage import sample_progress

    workspace = session.workspace
    targets = standing(session)
    seen, sampled = sample_progress(workspace)
    return {
        "spec": True,
        "bank": bool(workspace.examples.people()),
        "generate": bool(targets) and all(one.accepted >= one.target for one in targets),
        "triage": sampled > 0 and seen >= sampled,
        "train": any(run.finished and not run.finished.stopped for run in runs(workspace)),
        "evaluate": bool(evaluations(workspace)),
        "chat": False,
        "package": bool(packages(workspace)),
    }
