"""The report of an evaluation: made from its results and people's labels, kept beside the run and in the workspace."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import ValidationError

from studio.evaluate.gates import gates, shown
from studio.evaluate.intervals import alpha_at
from studio.evaluate.metrics import NO_LABELS, Labels, beats_prompt, by_category, overall_delta, side_metrics, win_rate
from studio.evaluate.strata import drawn_unequally
from studio.evaluate.suites.report import suite_reports
from studio.evaluate.trust import trusted
from studio.evaluate.types import SIDES, Evaluation
from studio.files import write_atomic
from studio.judge.types import JudgeInfo
from studio.store import PairVote, Workspace

FILE = "EVALUATION_RESULTS.json"
TABLE = "evaluations"


def restate(evaluation: Evaluation, labels: Labels = NO_LABELS) -> Evaluation:
    """Everything that follows from the results and from ``labels``: metrics, gates, id. Asks no model.

    The same results with the same labels have the same id, so that a package tells which of them it was packed by.
    """
    results, traits, judge = evaluation.counted, evaluation.traits, evaluation.judge
    alpha = alpha_at(evaluation.looks)
    replies = [labels.reply(row, side) for row in results for side in SIDES]
    said = [one for one in (*replies, *map(labels.pair, results)) if one is not None]
    used = "\n".join(one.model_dump_json(exclude={"by", "at", "draw"}) for one in said)
    used += "balanced" if drawn_unequally(labels) else ""
    measured = evaluation.model_copy(
        update={
            "base": side_metrics(results, "base", traits, judge, labels, alpha),
            "tuned": side_metrics(results, "tuned", traits, judge, labels, alpha),
            "win_rate": win_rate(results, labels, alpha),
            "beats_prompt": beats_prompt(results, alpha),
            "delta": overall_delta(results, traits, labels, alpha),
            "categories": by_category(results, traits, labels),
            "votes": sum(isinstance(one, PairVote) for one in said),
        }
    )
    measured = trusted(measured, labels)
    unjudged = sum(bool(result.errors) for result in evaluation.results)
    parts = [evaluation.run_id, evaluation.fingerprint[:8], *([] if evaluation.is_verdict else ["open"])]
    parts += [f"without-{unjudged}"] if unjudged else []
    if used:
        parts.append(f"labels-{hashlib.sha256(used.encode()).hexdigest()[:8]}")
    if evaluation.suites:
        told = "\n".join(one.model_dump_json(exclude={"created", "seconds"}) for one in evaluation.suites)
        parts.append(f"suites-{hashlib.sha256(told.encode()).hexdigest()[:8]}")
    return measured.model_copy(update={"id": "-".join(parts), "gates": gates(measured), "shown": shown(measured)})


def labels_of(workspace: Workspace, run_id: str) -> Labels:
    """What people said of a run's replies."""
    return Labels.of(workspace.labels.of_run(run_id), workspace.labels.votes_of_run(run_id))


def restated(workspace: Workspace, evaluation: Evaluation, judge: JudgeInfo | None = None) -> Evaluation:
    """The evaluation by the labels and the suites that there are now, and by what is known now of the ``judge`` that
    made it; kept where it changed."""
    suites = suite_reports(workspace, evaluation.run_id, evaluation.spec_hash)
    known = evaluation.model_copy(update={"suites": suites} | ({} if judge is None else {"judge": judge}))
    now = restate(known, labels_of(workspace, evaluation.run_id))
    if now != evaluation:
        save(workspace, now)
        if now.id != evaluation.id:
            workspace.documents.remove(TABLE, evaluation.id)
    return now


def save(workspace: Workspace, evaluation: Evaluation) -> Path:
    """Write ``runs/<id>/EVALUATION_RESULTS.json`` and remember the evaluation without its single results."""
    path = workspace.runs_dir / evaluation.run_id / FILE
    write_atomic(path, evaluation.model_dump_json(indent=2) + "\n")
    workspace.documents.put(TABLE, evaluation.id, evaluation.model_copy(update={"results": ()}))
    return path


def evaluations(workspace: Workspace) -> list[Evaluation]:
    """All that were made in this workspace, newest first, without their single results."""
    return sorted(workspace.documents.readable(TABLE, Evaluation), key=lambda one: one.created, reverse=True)


def evaluation_of(workspace: Workspace, run_id: str) -> Evaluation | None:
    """The newest evaluation of a run, whole; None where there is none, or it is damaged or of another version: the run
    is then to be evaluated anew."""
    try:
        return Evaluation.model_validate_json((workspace.runs_dir / run_id / FILE).read_bytes(), extra="ignore")
    except (FileNotFoundError, ValidationError):
        return None
