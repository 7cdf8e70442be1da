"""What an evaluation rests on, in words: who scored, how far they agree with people, what was cut, on which base."""

from __future__ import annotations

import math
from statistics import fmean

from studio.doctor import SMOLLM2_LABEL
from studio.evaluate import MIN_LABELS, Evaluation, JudgeInfo
from studio.evaluate.gate_text import number
from studio.judge.agreement import How
from studio.train import SMOLLM2
from studio.tui.text import counted

MEASURED_ON: dict[How | None, str] = {
    "locked": "on replies of runs it has not seen",
    "unseen": "on replies it has not learned from",
    "cross-validated": "by cross-validation",
    None: "with people",
}
LABELS_A_MINUTE = 5
"""Of a person who reads with care."""


def scored_by(evaluation: Evaluation, how: How | None = None) -> str:
    """``decided by 50 labels of this run; learned judge, agreement .34 on replies of runs it has not seen``."""
    tuned, told = evaluation.tuned, [judge_told(evaluation.judge, how)]
    if evaluation.votes:
        told.insert(0, f"{counted(evaluation.votes, 'pair')} compared by people")
    if tuned.labels:
        corrects = f", corrected by {evaluation.judge.name}'s scores" if tuned.source.startswith("people +") else ""
        told.insert(0, f"decided by {counted(tuned.labels, 'label')} of this run{corrects}")
    return "; ".join(told)


def judge_told(judge: JudgeInfo, how: How | None = None) -> str:
    """``learned judge, agreement .34 on replies of runs it has not seen``; ``how`` its agreement was measured."""
    if judge.kind == "nobody":
        return "traits unscored: no model judges, and there are no labels to learn from"
    if not judge.agreement:
        return f"{judge.name}, agreement with people not measured"
    return f"{judge.name}, agreement {number(fmean(judge.agreement.values()))} {MEASURED_ON[how]}"


def trial_told(evaluation: Evaluation, deployed: str) -> str:
    """``trial on SmolLM2-135M, a stand-in for meta-llama/...``; empty where the base is the one to deploy on."""
    if not evaluation.trial:
        return ""
    base = SMOLLM2_LABEL if evaluation.base_model == SMOLLM2 else evaluation.base_model
    return f"trial on {base}, a stand-in for {deployed}"


def cut_told(evaluation: Evaluation) -> str:
    """The share of replies cut at the most tokens that a reply may have; empty where none was."""
    base, tuned = evaluation.base.cut or 0.0, evaluation.tuned.cut or 0.0
    told = f"cut at {evaluation.max_tokens} tokens: {base:.0%} of base's replies, {tuned:.0%} of tuned's"
    return told if base or tuned else ""


def undecided_told(evaluation: Evaluation) -> str:
    """What decides the gates that are not decided; empty where all are."""
    notes = [gate.note for gate in evaluation.gates if gate.status == "UNDECIDED"]
    if not notes:
        return ""
    by_people = [note for note in notes if "label " in note or "compare " in note]
    if not by_people:
        return "UNDECIDED: more probes would decide it (r)"
    left = max(MIN_LABELS - evaluation.tuned.labels, 0)
    if left:
        minutes = math.ceil(left / LABELS_A_MINUTE)
        took = "ten minutes" if minutes == 10 else counted(minutes, "minute")
        return f"UNDECIDED: label {left} of this run's replies ({took}): l, or set a judge"
    return f"UNDECIDED: {by_people[0].partition(';')[0]}: l"
