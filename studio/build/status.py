"""Status of a persona: how each stage stands, and the one next step, the same for window and commands.

A stage that was reached is not lost because a person rejected an example: generating counts as done while what is short
of the target is no more than people rejected, and than a tenth of it; and once a run is trained nobody is sent back.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from studio.build.runs import chosen_run
from studio.build.session import Session
from studio.build.stages import standing
from studio.chatml import Frozen
from studio.evaluate import Evaluation, evaluations
from studio.evaluate.gate_text import label
from studio.files import as_seen
from studio.generate import CategoryTarget
from studio.jobs import list_jobs
from studio.package import packages
from studio.store import Filter
from studio.train import runs, tags
from studio.train.types import Run
from studio.triage import review_progress

StageMark = Literal["done", "running", "needs", "failed", "none"]
"""``needs``: it is the one that the next step is in."""
STAGES = ("spec", "bank", "generate", "triage", "train", "evaluate", "chat", "package")
"""In the order of their keys, 1 to 8."""
USUAL_ROOT = Path("workspace")
"""Where the commands look without ``--workspace``."""
TOLERATED = 0.1
"""Of the wanted examples, so many may have been rejected by people since without a way back to generating."""


class NextStep(Frozen):
    """What to do next. ``told`` follows ``Next:``; ``command`` does it in a shell."""

    stage: str
    told: str
    key: str
    """The keys that do it in the window, the stage's first: ``6 s``."""
    command: str

    @property
    def line(self) -> str:
        """``Next: evaluate run 7d22 (6 s)``."""
        return f"Next: {self.told} ({self.key})"


class StageStatus(Frozen):
    """How a stage stands: its sign, and in words."""

    stage: str
    mark: StageMark
    told: str = ""


class Status(Frozen):
    """A persona's stages in their order, and what to do next."""

    persona: str
    spec: str
    stages: tuple[StageStatus, ...]
    next: NextStep

    @property
    def marks(self) -> dict[str, StageMark]:
        return {one.stage: one.mark for one in self.stages}


def status_of(session: Session, alive: Iterable[str] | None = None) -> Status:
    """How each stage stands now, and the next step. Reads the disk.

    ``alive`` are the stages whose job runs; None: looked up.
    """
    workspace, loaded = session.workspace, session.loaded
    targets, run = standing(session), chosen_run(workspace)
    seen, sampled = review_progress(workspace)
    name = run.plan.run_id if run else ""  # what an older run has counts for nothing
    evaluation = next((one for one in evaluations(workspace) if one.run_id == name), None)
    package = next((one for one in packages(workspace) if one.run_id == name), None)
    running = set(alive) if alive is not None else {one.stage for one in list_jobs(workspace.jobs_dir) if one.alive}
    accepted, wanted = sum(one.accepted for one in targets), sum(one.target for one in targets)
    enough = run is not None or _enough(session, targets)
    people = sum(one.n for one in workspace.examples.crowd.counts())
    told = {
        "spec": f"{len(loaded.spec.traits)} traits, {wanted} examples wanted",
        "bank": f"{people} people",
        "generate": f"{accepted} of {wanted} accepted",
        "triage": f"{seen} of {sampled} of the sample reviewed" if sampled else "no sample drawn yet",
        "train": f"run {name}, loss {run.finished.loss:.3f}" if run and run.finished else "no finished run",
        "evaluate": evaluation.verdict if evaluation else "not evaluated",
        "package": package.id if package else "no package",
    }
    done = {
        "spec": True,
        "bank": people > 0,
        "generate": enough,
        "triage": sampled > 0 and seen >= sampled,
        "train": run is not None,
        "evaluate": evaluation is not None,
        "package": package is not None,
    }
    marks: dict[str, StageMark] = {stage: "done" if done.get(stage) else "none" for stage in STAGES}
    if evaluation and evaluation.is_verdict and not evaluation.passed:
        marks["evaluate"] = "failed"
    step = _next_step(session, targets, enough, run, evaluation, package is not None)
    if marks[step.stage] == "none":
        marks[step.stage] = "needs"
    marks.update(dict.fromkeys(running & set(STAGES), "running"))
    stages = tuple(StageStatus(stage=one, mark=marks[one], told=told.get(one, "")) for one in STAGES)
    return Status(persona=loaded.spec.name, spec=as_seen(loaded.path), stages=stages, next=step)


def _enough(session: Session, targets: Iterable[CategoryTarget]) -> bool:
    """Whether the targets are reached, but for what people rejected since."""
    short = [(one.target - one.accepted, one.target) for one in targets if one.accepted < one.target]
    if any(missing > max(1, TOLERATED * target) for missing, target in short):
        return False
    rejected = Filter(status="rejected", decided=True)
    return not short or sum(missing for missing, _ in short) <= session.workspace.examples.count(rejected)


def _next_step(
    session: Session,
    targets: tuple[CategoryTarget, ...],
    enough: bool,
    run: Run | None,
    evaluation: Evaluation | None,
    packed: bool,
) -> NextStep:
    def step(stage: str, told: str, key: str, *command: str) -> NextStep:
        return NextStep(stage=stage, told=told, key=key, command=_command(session, *command))

    if run is None and not enough:
        missing, wanted = sum(max(0, one.target - one.accepted) for one in targets), sum(one.target for one in targets)
        told = f"generate {missing} more examples" if missing < wanted else "generate examples"
        return step("generate", told, "3 s", "generate")
    if run is None:
        told = "resume the training" if runs(session.workspace) else "train on what was accepted"
        return step("train", told, "5 s", "train")
    tag = tags(session.workspace).get(run.plan.run_id)
    name = tag.name if tag and tag.name else run.plan.run_id
    of_run = ("--run", run.plan.run_id)
    if evaluation is None:
        return step("evaluate", f"evaluate run {name}", "6 s", "evaluate", *of_run)
    if not evaluation.is_verdict:
        told = f"open the locked probes of run {name} for a verdict"
        return step("evaluate", told, "6 v", "evaluate", *of_run, "--locked")
    failed = [gate for gate in evaluation.gates if gate.status == "FAIL"]
    if not packed and (evaluation.trial or evaluation.passed):
        return step("package", f"package run {name}", "8 s", "package", *of_run)
    if failed and session.settings.offline and session.settings.author_local is None:
        return step("evaluate", f"{label(failed[0].name)} fails: set an author", "3 w, then 6 i", "doctor")
    if failed:
        return step("evaluate", f"improve: {label(failed[0].name)} fails", "6 i", "improve")
    if undecided := sum(gate.status == "UNDECIDED" for gate in evaluation.gates):
        told = f"label replies: {undecided} gate{' is' if undecided == 1 else 's are'} undecided"
        return step("evaluate", told, "6 l", "judge label", *of_run)
    return step("chat", "packaged; chat with it", "7", "chat")


def _command(session: Session, name: str, *options: str) -> str:
    """As it is typed in a shell, with the workspace where that is not the usual one."""
    where = () if session.root.resolve() == USUAL_ROOT.resolve() else ("--workspace", as_seen(session.root))
    return f"studio {name} {shlex.join((as_seen(session.loaded.path), *options, *where))}"
