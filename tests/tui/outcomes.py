"""Made-up runs, evaluations and packages, as the workers would leave them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from studio.chatml import user
from studio.evaluate import Evaluation, JudgeInfo, Probe, ProbeResult, restate, save
from studio.jobs import Job, JobRequest, JobView, State
from studio.judge.types import Comparison
from studio.package import Package, Verification
from studio.spec import Spec
from studio.store import Workspace
from studio.store.records import Judgement, TraitScore
from studio.train.planning import SMALL
from studio.train.run import ADAPTER, METRICS_FILE, StepMetrics, write_run
from studio.train.types import Run, TrainFinished, TrainPlan
from studio.tui import StudioApp
from studio.tui.live.bridge import Snapshot
from studio.tui.live.state import ScreenState, Value
from studio.tui.screens.chat.conversation import Conversation, Exchange, keep_conversation
from tests.tui.making import SPEC

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def trainable(base: str | Path) -> str:
    """The spec with a base model that is there."""
    return SPEC.replace("some/model", str(base))


def made_plan(workspace: Workspace, name: str = "run-made", base: str = "smollm2") -> TrainPlan:
    return TrainPlan(
        run_id=name,
        base_model=base,
        base_path="/nowhere",
        recipe=SMALL.recipe,
        spec_hash="0" * 64,
        data_path=str(workspace.exports_dir / "data.jsonl"),
        data_hash="1" * 64,
        examples=200,
        steps=120,
        fingerprint=name,
        created=NOON,
    )


def keep_run(
    workspace: Workspace,
    name: str = "run-made",
    *,
    stopped: bool = False,
    steps: int = 120,
    base: str = "smollm2",
) -> Run:
    """A run on the disk, with its metrics and a folder for its adapter."""
    folder = workspace.runs_dir / name
    adapter = folder / ADAPTER
    adapter.mkdir(parents=True, exist_ok=True)
    finished = TrainFinished(
        run_id=name,
        steps=steps,
        loss=0.412,
        seconds=71.0,
        adapter_path=str(adapter),
        adapter_mb=1.9,
        stopped=stopped,
    )
    run = Run(plan=made_plan(workspace, name, base), finished=finished)
    write_run(folder, run)
    lines = [
        StepMetrics(step=step, loss=3 / (1 + step / 20), learning_rate=1e-3, epoch=step / 25, seconds=step / 2)
        for step in range(1, steps + 1)
    ]
    (folder / METRICS_FILE).write_text("".join(f"{one.model_dump_json()}\n" for one in lines))
    return run


def made_judgement(spec: Spec, mark: int, said: str = "names the berth") -> Judgement:
    score = TraitScore.model_validate({"score": mark, "rationale": said, "quote": said})
    return Judgement(
        judge="learned judge",
        spec_hash="0" * 64,
        verdict="passed" if mark else "failed",
        traits=dict.fromkeys(spec.trait_names, score),
        total=5.0 * mark,
        at=NOON,
    )


def made_result(spec: Spec, number: int, said: str = "", marks: tuple[int, int] = (0, 2)) -> ProbeResult:
    """Probe ``number`` through both sides; ``said`` goes wherever a model's words go."""
    asked = f"How deep is berth {number}? {said}".strip()
    return ProbeResult(
        probe=Probe(id=f"probe-{number:03}", category="unseen", scenario=asked, messages=(user(asked),)),
        base=f"Okay. {said}".strip(),
        tuned=f"Ahoy. Berth {number} has four metres. {said}".strip(),
        base_judgement=made_judgement(spec, marks[0], said or "says little"),
        tuned_judgement=made_judgement(spec, marks[1], said or "names the berth"),
        comparison=Comparison(winner="tuned", orders=("second", "first"), rationale=said or "warmer"),
        tuned_kept=True,
        base_kept=number % 2 == 0,
        base_s=0.2,
        tuned_s=0.3,
    )


def made_evaluation(
    spec: Spec, run: Run, results: list[ProbeResult], judge: JudgeInfo | None = None, *, trial: bool = False
) -> Evaluation:
    """``judge``: by default a model that agrees with people."""
    agreement = dict.fromkeys(spec.trait_names, 0.7)
    found = Evaluation(
        id="",
        run_id=run.plan.run_id,
        spec_name=spec.name,
        spec_hash="0" * 64,
        base_model=run.plan.base_model if trial else spec.deployment.base_model,
        judge=judge or JudgeInfo(name="gpt-5-mini", agreement=agreement, pass_agreement=0.9),
        traits=spec.trait_names,
        success=spec.success,
        trial=trial,
        max_tokens=spec.deployment.max_tokens,
        results=tuple(results),
        train_loss=0.412,
        adapter_mb=1.9,
        examples=run.plan.examples,
        created=NOON + timedelta(minutes=5),
        seconds=31.0,
        fingerprint="made",
    )
    return restate(found).model_copy(update={"id": f"{run.plan.run_id}-eval"})


def keep_evaluation(workspace: Workspace, spec: Spec, run: Run, said: str = "") -> Evaluation:
    """Sixty probes, of which the first three came out badly. The loss fails its gate."""
    results = [made_result(spec, number, said, (0, 0 if number < 3 else 2)) for number in range(60)]
    evaluation = made_evaluation(spec, run, results)
    save(workspace, evaluation)
    return evaluation


def keep_trial(workspace: Workspace, spec: Spec, run: Run, count: int = 60, said: str = "") -> Evaluation:
    """What is evaluated without any model: on a stand-in base, by a judge that agrees too little with people."""
    agreement = dict.fromkeys(spec.trait_names, 0.34)
    judge = JudgeInfo(name="learned judge", kind="learned", agreement=agreement, pass_agreement=0.6)
    results = [made_result(spec, number, said, (0, 2)) for number in range(count)]
    evaluation = made_evaluation(spec, run, results, judge, trial=True)
    save(workspace, evaluation)
    return evaluation


def keep_package(
    workspace: Workspace, evaluation: Evaluation, name: str, said: str = "Ahoy.", minutes: int = 9
) -> Package:
    """A package's folder with two files, and its row."""
    folder = workspace.packages_dir / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text("# card\n")
    (folder / "adapter_config.json").write_text(json.dumps({"r": 16}))
    package = Package(
        id=name,
        path=str(folder),
        run_id=evaluation.run_id,
        evaluation_id=evaluation.id,
        spec_hash=evaluation.spec_hash,
        files={"README.md": "a" * 64, "adapter_config.json": "b" * 64},
        gates_passed=evaluation.passed,
        verdict=evaluation.verdict,
        verification=Verification(
            verified=True,
            prompt=said,
            reply=said,
            expected=said,
            seconds=4,
            probes=8,
            tokens=412,
            difference=0.0004,
            largest=0.003,
            tolerance=0.02,
        ),
        created=NOON + timedelta(minutes=minutes),
    )
    workspace.studio.put("packages", package.id, package)
    return package


def keep_talk(workspace: Workspace, run: Run, *pairs: Exchange, id: str = "talk", draft: str = "") -> Conversation:
    """A conversation with a run, which the chat opens with, and a message that was not sent."""
    said = Conversation(id=id, run_id=run.plan.run_id, begun=NOON, exchanges=pairs)
    values: dict[str, Value] = {"conversation": id, "draft": draft}
    workspace.studio.put("screen", "chat", ScreenState(stage="chat", values=values))
    return keep_conversation(workspace.documents, said, None)


def made_snapshot(workspace: Workspace, stage: str, progress: Any, state: State = "running", **params: Any) -> Snapshot:
    """What the bridge would post of a job, without there being one."""
    request = JobRequest(id=f"job-{stage}", stage=stage, entry="made:up", params=params, created=NOON)
    view = JobView(request=request, state=state, started=datetime.now(UTC))
    return Snapshot(stage, Job(workspace.jobs_dir / request.id), view, progress)


def told(app: StudioApp) -> str:
    """The newest notice; the window under test draws none."""
    notices = list(app._notifications)
    return str(notices[-1].message) if notices else ""
