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
    from studio.build.stages import standing
    from studio.triage import sample_progress

    workspace = session.workspace
    targets = standing(session)
    seen, sampled = sample_progress(workspace)
    marks = {
        "spec": _mark(True),
        "bank": _mark(bool(workspace.examples.people())),
        "generate": _mark(bool(targets) and all(one.accepted >= one.target for one in targets)),
        "triage": _mark(sampled > 0 and seen >= sampled),
        "chat": _mark(False),
        **_of_newest_run(session),
    }
    wanted = next((stage for stage in ORDER if marks[stage] != "done"), None)
    if wanted is not None and marks[wanted] == "none":
        marks[wanted] = "needs"
    return marks


def _of_newest_run(session: Session) -> dict[str, Mark]:
    """What an older run has counts for nothing: the stages work on the newest."""
    from studio.evaluate import evaluations
    from studio.package import packages
    from studio.tui.runs import chosen_run

    run = chosen_run(session)
    name = run.plan.run_id if run else ""
    evaluation = next((one for one in evaluations(session.workspace) if one.run_id == name), None)
    return {
        "train": _mark(run is not None),
        "evaluate": "failed" if evaluation and not evaluation.passed else _mark(evaluation is not None),
        "package": _mark(any(one.run_id == name for one in packages(session.workspace))),
    }


def _mark(done: bool) -> Mark:
    return "done" if done else "none"
