"""The evaluation that is shown, and what it says in words: what it rests on, what is undecided, what helps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from textual.content import Content

from studio.doctor import SMOLLM2_LABEL
from studio.evaluate import MIN_LABELS, Evaluation, JudgeInfo, Labels, labels_of, restate
from studio.evaluate.gate_text import label, number, shown_text
from studio.evaluate.metrics import NO_LABELS
from studio.evaluate.types import Gate
from studio.judge.agreement import How
from studio.train import SMOLLM2
from studio.train.types import Run
from studio.tui.live.runs import chosen_with_evaluation, is_current, measured_how
from studio.tui.screens.evaluate.measures import categories_content, measures, measures_content
from studio.tui.text import Part, counted, duration, join, lines, shown
from studio.tui.widgets.gates import gates_content, tally
from studio.tui.widgets.layout import facts

if TYPE_CHECKING:
    from studio.build import Session

MEASURED_ON: dict[How | None, str] = {
    "locked": "on replies of runs it has not seen",
    "unseen": "on replies it has not learned from",
    "cross-validated": "by cross-validation",
    None: "with people",
}
LABELS_A_MINUTE = 5
"""Of a person who reads with care."""
OTHERS: Mapping[str, str] = {
    "train_loss": "train for more epochs, or on more examples (5)",
    "examples": "generate or accept more examples (3, 4)",
    "adapter_mb": "train with a lower rank (5)",
    "latency_s": "take a smaller base model",
}
"""What helps where it is not the replies that failed."""
REPLIES = "look at the probes (the weakest is first), accept more examples of how it ought to be (4), train again"


@dataclass(frozen=True)
class Chosen:
    """The newest run that was trained to its end, and its newest evaluation by the labels that there are now."""

    run: Run | None = None
    evaluation: Evaluation | None = None
    labels: Labels = NO_LABELS
    is_current: bool = False
    """Whether evaluating now would come to the same."""
    how: How | None = None
    """On which labels the judge's agreement with people was measured."""


def read_chosen(session: Session) -> Chosen:
    """Reads the disk."""
    run, evaluation = chosen_with_evaluation(session)
    if run is None or evaluation is None:
        return Chosen(run)
    labels = labels_of(session.workspace, evaluation.run_id)
    evaluation = restate(evaluation, labels)
    current, how = is_current(session, run, evaluation), measured_how(session, evaluation)
    return Chosen(run, evaluation, labels, current, how)


def scored_by(evaluation: Evaluation, how: How | None) -> str:
    """``decided by 50 labels of this run; learned judge, agreement .34 on replies of runs it has not seen``."""
    tuned, told = evaluation.tuned, [_judge(evaluation.judge, how)]
    if evaluation.votes:
        told.insert(0, f"{counted(evaluation.votes, 'pair')} compared by people")
    if tuned.labels:
        corrects = f", corrected by {evaluation.judge.name}'s scores" if tuned.source.startswith("people +") else ""
        told.insert(0, f"decided by {counted(tuned.labels, 'label')} of this run{corrects}")
    return "; ".join(told)


def _judge(judge: JudgeInfo, how: How | None) -> str:
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


def _failed(evaluation: Evaluation) -> list[Gate]:
    return [gate for gate in evaluation.gates if gate.status == "FAIL"]


def advice(evaluation: Evaluation) -> str:
    """What to do about gates that failed, in a sentence or more; empty where none did."""
    failed = [gate.name for gate in _failed(evaluation)]
    said = [f"{label(name)}: {OTHERS[name]}" for name in failed if name in OTHERS]
    if len(said) < len(failed):
        said.insert(0, f"{_weakest(evaluation)}: {REPLIES}")
    return ". ".join(f"{one[0].upper()}{one[1:]}" for one in said) + "." if said else ""


def _weakest(evaluation: Evaluation) -> str:
    """``weakest in calm (0.84 of 2), and in the probes of unseen (4.1 of 10)``."""
    traits = {name: mean.value for name, mean in evaluation.tuned.traits.items()}
    categories = {name: sides["tuned"] for name, sides in evaluation.categories.items() if "tuned" in sides}
    found = []
    if traits:
        low = min(traits, key=traits.__getitem__)
        found.append(f"in {label(low)} ({traits[low]:.2f} of 2)")
    if len(categories) > 1:
        low = min(categories, key=categories.__getitem__)
        found.append(f"in the probes of {label(low)} ({categories[low]:.1f} of 10)")
    return f"weakest {', and '.join(found)}" if found else "the replies"


def short_advice(evaluation: Evaluation) -> str:
    """For a line: which gate is furthest from passing by its share, and where to read on; empty where none failed."""
    failed = _failed(evaluation)
    traits = [gate for gate in failed if gate.name.startswith("trait:") and gate.value is not None]
    traits.sort(key=lambda gate: (gate.value or 0.0) / gate.target if gate.target else 0.0)
    return f"{label([*traits, *failed][0].name)} fails: r says what to do" if failed else ""


def report(evaluation: Evaluation, how: How | None, deployed: str, width: int) -> Content:
    """All of an evaluation but its single replies: every gate with its note, the categories, what it rests on."""
    unscored = evaluation.base.errors + evaluation.tuned.errors  # they count neither way
    pairs: list[tuple[str, Part]] = [
        ("run", evaluation.run_id),
        ("base", evaluation.base_model),
        ("verdict", evaluation.verdict),
        ("", trial_told(evaluation, deployed)),
        ("scored by", scored_by(evaluation, how)),
        ("probes", f"{len(evaluation.results)} in {duration(evaluation.seconds)}"),
        ("cut", cut_told(evaluation)),
        ("unscored", f"{unscored} replies could not be judged" if unscored else ""),
        ("adapter", f"{evaluation.adapter_mb:.2f} MB" if evaluation.adapter_mb is not None else ""),
        ("made", f"{evaluation.created:%Y-%m-%d %H:%M} UTC"),
    ]
    return lines(
        [
            join(("Gates  ", "bold $primary"), tally(evaluation.gates)),
            gates_content(evaluation.gates, width),
            *(shown(shown_text(one), "$quiet") for one in evaluation.shown),
            *(shown(told, "$warning") for told in (undecided_told(evaluation), advice(evaluation)) if told),
            Content(""),
            join(("Mean score by category of probes, of 10", "bold $primary")),
            categories_content(evaluation, width),
            Content(""),
            measures_content(measures(evaluation), width),
            Content(""),
            facts(pairs, width),
        ]
    )
