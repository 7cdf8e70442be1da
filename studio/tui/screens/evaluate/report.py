"""The evaluation that is shown, and what it says in words: what it rests on, what is undecided, what helps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from textual.content import Content

from studio.doctor import SMOLLM2_LABEL
from studio.evaluate import MIN_LABELS, Evaluation, JudgeInfo, Labels, fingerprint, labels_of, restate
from studio.evaluate.gate_text import label, number, scope_text, shown_text
from studio.evaluate.looks import Look, next_look
from studio.evaluate.probes import probes
from studio.evaluate.types import Gate
from studio.judge import known_agreement, open_judge
from studio.judge.agreement import How
from studio.train import SMOLLM2
from studio.train.types import Run
from studio.tui.live.runs import chosen_with_evaluation
from studio.tui.screens.evaluate.measures import categories_content, measures, measures_content
from studio.tui.screens.evaluate.probe import is_locked
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
class Evaluated:
    """An evaluation by the labels that there are now, and what else is to be known of it."""

    evaluation: Evaluation
    labels: Labels
    is_current: bool
    """Whether evaluating now would come to the same: the spec, the run and the judge are those of the evaluation, and
    all of it was judged."""
    how: How | None
    """On which labels the judge's agreement with people was measured; None where nobody knows any more."""
    deployed: str
    """The model to deploy on."""


def read_evaluated(session: Session) -> tuple[Run | None, Evaluated | None]:
    """The newest run that was trained to its end, and its newest evaluation. Reads the disk."""
    run, kept = chosen_with_evaluation(session)
    if run is None or kept is None:
        return run, None
    loaded, labels = session.loaded, labels_of(session.workspace, kept.run_id)
    evaluation = restate(kept, labels)
    judge = open_judge(session.settings, loaded, session.workspace.examples)
    same = evaluation.fingerprint == fingerprint(loaded, run, judge)
    current = evaluation.whole and same
    known, scored = known_agreement(loaded, judge), evaluation.judge
    how = known.how if known and (known.judge, known.version) == (scored.name, scored.version) else None
    return run, Evaluated(evaluation, labels, current, how, loaded.spec.deployment.base_model)


def verdict_look(session: Session, run: Run) -> Look:
    """What opening the locked probes would rest on, and cost. Reads the disk."""
    judge = open_judge(session.settings, session.loaded, session.workspace.examples)
    mark = fingerprint(session.loaded, run, judge)
    return next_look(session.workspace, probes(session.loaded), run.plan.run_id, mark)


def verdict_lines(found: Evaluated) -> Content:
    """The verdict and its gates; what to do; and who scored, on what."""
    evaluation = found.evaluation
    first = join(
        (f"{evaluation.verdict}  ", "bold"),
        tally(evaluation.gates),
        (f"  {evaluation.run_id}, {len(evaluation.counted)} probes", "$quiet"),
    )
    changed = "" if found.is_current else "spec or judge changed: s evaluates again"
    if found.is_current and not evaluation.is_verdict:
        changed = "no verdict yet: v opens the locked probes for one"
    todo = "; ".join(filter(None, (changed, _undecided(evaluation), "" if changed else _short_advice(evaluation))))
    unlisted = sum(is_locked(row) for row in evaluation.results)
    hidden = f"{unlisted} locked probes are scored and not listed" if unlisted else ""
    rests_on = "; ".join(filter(None, (_scored_by(evaluation, found.how), _trial(found), _cut(evaluation), hidden)))
    return lines([first, *([join((todo, "$warning"))] if todo else []), join((rests_on, "$quiet"))])


def _scored_by(evaluation: Evaluation, how: How | None) -> str:
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


def _trial(found: Evaluated) -> str:
    """``trial on SmolLM2-135M, a stand-in for meta-llama/...``; empty where the base is the one to deploy on."""
    base = found.evaluation.base_model
    told = f"trial on {SMOLLM2_LABEL if base == SMOLLM2 else base}, a stand-in for {found.deployed}"
    return told if found.evaluation.trial else ""


def _cut(evaluation: Evaluation) -> str:
    """The share of replies cut at the most tokens that a reply may have; empty where none was."""
    base, tuned = evaluation.base.cut or 0.0, evaluation.tuned.cut or 0.0
    told = f"cut at {evaluation.max_tokens} tokens: {base:.0%} of base's replies, {tuned:.0%} of tuned's"
    return told if base or tuned else ""


def _undecided(evaluation: Evaluation) -> str:
    """What decides the gates that are not decided; empty where all are."""
    notes = [gate.note for gate in evaluation.gates if gate.status == "UNDECIDED"]
    if not notes:
        return ""
    by_people = [note for note in notes if "label " in note or "compare " in note]
    if not by_people:
        return "UNDECIDED: more probes would decide it (r)"
    left = max(min(MIN_LABELS, evaluation.tuned.n) - evaluation.tuned.labels, 0)
    if left:
        minutes = math.ceil(left / LABELS_A_MINUTE)
        took = "ten minutes" if minutes == 10 else counted(minutes, "minute")
        return f"UNDECIDED: label {left} of this run's replies ({took}): l, or set a judge"
    return f"UNDECIDED: {by_people[0].partition(';')[0]}: l"


def _failed(evaluation: Evaluation) -> list[Gate]:
    return [gate for gate in evaluation.gates if gate.status == "FAIL"]


def _advice(evaluation: Evaluation) -> str:
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


def _short_advice(evaluation: Evaluation) -> str:
    """For a line: which gate is furthest from passing by its share, and where to read on; empty where none failed."""
    failed = _failed(evaluation)
    traits = [gate for gate in failed if gate.name.startswith("trait:") and gate.value is not None]
    traits.sort(key=lambda gate: (gate.value or 0.0) / gate.target if gate.target else 0.0)
    return f"{label([*traits, *failed][0].name)} fails: r says what to do" if failed else ""


def report(found: Evaluated, width: int) -> Content:
    """All of an evaluation but its single replies: every gate with its note, the categories, what it rests on."""
    evaluation = found.evaluation
    unscored = evaluation.base.errors + evaluation.tuned.errors  # they count neither way
    pairs: list[tuple[str, Part]] = [
        ("run", evaluation.run_id),
        ("base", evaluation.base_model),
        ("verdict", evaluation.verdict),
        ("", _trial(found)),
        ("scored by", _scored_by(evaluation, found.how)),
        ("probes", f"{len(evaluation.results)} in {duration(evaluation.seconds)}"),
        ("", scope_text(evaluation)),
        ("cut", _cut(evaluation)),
        ("unscored", f"{unscored} replies could not be judged" if unscored else ""),
        ("adapter", f"{evaluation.adapter_mb:.2f} MB" if evaluation.adapter_mb is not None else ""),
        ("made", f"{evaluation.created:%Y-%m-%d %H:%M} UTC"),
    ]
    return lines(
        [
            join(("Gates  ", "bold $primary"), tally(evaluation.gates)),
            gates_content(evaluation.gates, width),
            *(shown(shown_text(one), "$quiet") for one in evaluation.shown),
            *(shown(told, "$warning") for told in (_undecided(evaluation), _advice(evaluation)) if told),
            Content(""),
            join(("Mean score by category of probes, of 10", "bold $primary")),
            categories_content(evaluation, width),
            Content(""),
            measures_content(measures(evaluation), width),
            Content(""),
            facts(pairs, width),
        ]
    )
