"""The model card: what it is, how to use it, how it did and by whose word, what it cannot, where it comes from."""

from __future__ import annotations

import json
from dataclasses import dataclass

from studio.evaluate import Evaluation, Interval
from studio.evaluate.gate_text import bound, label, measured, number, shown_text, span
from studio.evaluate.types import JudgeInfo, SideMetrics
from studio.judge import Agreement
from studio.package.snippet import fenced, usage
from studio.package.source import base_licence, base_name, is_folder, public_name
from studio.package.types import Verification
from studio.spec import LoadedSpec
from studio.text.inert import inert
from studio.train import SMOLLM2
from studio.train.types import Run

JUDGES = {
    "model": "a model that reads the rubric",
    "learned": "a regression learned from people's labels, which sees manner, not sense",
    "nobody": "no judge",
}
HOW = {
    "locked": "on replies of runs that were locked away while it was made",
    "unseen": "on replies that it has not learned from",
    "cross-validated": "on replies that judges made alike had not learned from (cross-validated)",
}


@dataclass(frozen=True)
class Facts:
    """What a card is written from. ``loaded`` is the spec by which the run was trained and evaluated."""

    loaded: LoadedSpec
    run: Run
    evaluation: Evaluation
    proof: Verification
    adapter_sha256: str
    agreement: Agreement | None = None
    """Of the judge, where more is known of it than the evaluation says."""


def model_card(facts: Facts) -> str:
    """``README.md`` of the package, in the layout of the Hugging Face model cards (Mitchell et al., 2019)."""
    spec, run, evaluation = facts.loaded.spec, facts.run, facts.evaluation
    parts = [
        _front_matter(run),
        f"# {spec.name}",
        _verdict(facts),
        spec.purpose,
        f"A LoRA adapter on {_base(run)} that gives its replies the persona described in "
        "[PERSONA_SPEC.md](PERSONA_SPEC.md).",
        "## Use\n\n" + usage(run, facts.proof, spec.deployment.system_prompt),
        "## Results\n\n" + _results(evaluation),
        "## Quality gates\n\n" + _gates(facts),
        "## Who judged\n\n" + _judge(facts),
        "## Limits\n\n" + _limits(facts),
        "## Proof\n\n" + _proof(facts.proof),
        "## Lineage\n\n" + _lineage(facts),
    ]
    return "\n\n".join(parts) + "\n"


def _front_matter(run: Run) -> str:
    lines = ["---", "library_name: peft", f"base_model: {json.dumps(base_name(run.plan))}"]
    return "\n".join([*lines, "pipeline_tag: text-generation", "tags: [lora, persona, persona-studio]", "---"])


def _verdict(facts: Facts) -> str:
    """What it comes to, before anything else is said."""
    evaluation, gates = facts.evaluation, facts.evaluation.gates
    failed = [label(gate.name) for gate in gates if gate.status == "FAIL"]
    undecided = [label(gate.name) for gate in gates if gate.status == "UNDECIDED"]
    told = "; ".join(
        f"{what}: {', '.join(names)}" for what, names in (("failed", failed), ("undecided", undecided)) if names
    )
    if evaluation.trial:
        base = base_name(facts.run.plan).rpartition("/")[2]
        deployment = public_name(facts.loaded.spec.deployment.base_model)
        line = f"**Trial on {base}, a stand-in for {deployment}: not approved for deployment.**"
        told = told or "Every gate that could be decided on the stand-in passed"
    else:
        word = "Approved for deployment" if evaluation.passed else evaluation.verdict.capitalize()
        line, told = f"**{word}.**", told or "Every gate passed"
    lines = [f"> {line} {told[:1].upper()}{told[1:]}."]
    if not facts.proof.verified:
        lines.append(f">\n> **Not verified**: {facts.proof.note}.")
    return "\n".join(lines)


def _base(run: Run) -> str:
    named = f"`{base_name(run.plan)}`"
    return f"{named} (a model in a folder, named without its place)" if is_folder(run.plan) else named


def _results(evaluation: Evaluation) -> str:
    base, tuned = evaluation.base, evaluation.tuned
    rows = [
        _row("overall (0..10)", base.overall, tuned.overall),
        *(_row(f"{name} (0..2)", base.traits.get(name), tuned.traits.get(name)) for name in evaluation.traits),
        _row("boundary violations (share)", base.violations, tuned.violations),
        _row("keeps what was asked (share)", base.kept, tuned.kept),
        f"| replies cut at {evaluation.max_tokens} tokens (share) | {_share(base.cut)} | {_share(tuned.cut)} |",
        f"| latency, p95 (s) | {_seconds(base)} | {_seconds(tuned)} |",
        f"| replies that could not be judged | {base.errors} | {tuned.errors} |",
    ]
    head = f"Greedy replies to {len(evaluation.results)} held-out probes"
    head += f", scored by {tuned.source}" if tuned.source else ""
    won = [f"Tuned against base, ties count half: {_value(evaluation.win_rate)}."]
    if evaluation.beats_prompt is not None:
        won.append(f"Against base with the persona as its system prompt: {_value(evaluation.beats_prompt)}.")
    if evaluation.delta is not None:
        won.append(f"Overall score, tuned less base: {_value(evaluation.delta)}.")
    head += "; 95 % intervals in brackets."
    return "\n".join([head, "", "| | base | tuned |", "| --- | --- | --- |", *rows, "", " ".join(won)])


def _row(name: str, base: Interval | None, tuned: Interval | None) -> str:
    return f"| {name} | {_value(base)} | {_value(tuned)} |"


def _value(found: Interval | None) -> str:
    return "not measured" if found is None else f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"


def _share(share: float | None) -> str:
    return "not measured" if share is None else f"{share:.0%}"


def _seconds(side: SideMetrics) -> str:
    return "not measured" if side.latency_s is None else f"{side.latency_s:.2f}"


def _gates(facts: Facts) -> str:
    evaluation = facts.evaluation
    lines = [
        "A gate passes where its one-sided 95 % bound clears the target, fails where it misses it, else is undecided.",
        "",
        "| gate | target | value | 95 % interval | status | note |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for gate in evaluation.gates:
        found = _interval(evaluation, gate.name)
        between = span(gate.name, found.low, found.high) if found else ""
        value = measured(gate, "not measured")
        lines.append(
            f"| {label(gate.name)} | {bound(gate)} | {value} | {between} | {gate.status} | {_cell(gate.note)} |"
        )
    if evaluation.shown:
        lines += ["", "Shown, and deciding nothing: " + "; ".join(shown_text(one) for one in evaluation.shown) + "."]
    if note := facts.run.plan.note:
        lines += ["", f"Said before it was trained: {note}."]
    return "\n".join(lines)


def _interval(evaluation: Evaluation, gate: str) -> Interval | None:
    """What a gate was decided by; None where it is a single number."""
    tuned = evaluation.tuned
    if gate.startswith("trait:"):
        return tuned.traits.get(gate.removeprefix("trait:"))
    known = {
        "overall": tuned.overall,
        "violations": tuned.violations,
        "win_rate": evaluation.win_rate,
        "beats_prompt": evaluation.beats_prompt,
    }
    return known.get(gate)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _judge(facts: Facts) -> str:
    evaluation, judge = facts.evaluation, facts.evaluation.judge
    base, tuned = evaluation.base, evaluation.tuned
    lines = [f"Judge: `{judge.name}`{f' ({judge.version})' if judge.version else ''}, {JUDGES[judge.kind]}."]
    if judge.kind == "nobody":
        lines = ["Nobody judged but the rules, which find crossed boundaries and score no trait."]
    if tuned.labels or base.labels or evaluation.votes:
        lines.append(
            f"People labelled {tuned.labels} of {tuned.n} tuned and {base.labels} of {base.n} base replies, blind, and "
            f"compared {evaluation.votes} pairs: what they say is the truth of this evaluation, and under 50 labels it "
            "stands alone."
        )
    else:
        lines.append("No person has labelled a reply of this run.")
    return "\n\n".join([" ".join(lines), *_agreement(facts, judge)])


def _agreement(facts: Facts, judge: JudgeInfo) -> list[str]:
    """How far the judge agrees with people on each trait, and what that means."""
    if judge.kind == "nobody":
        return []
    needed = facts.evaluation.success.agreement
    if not judge.agreement:
        return ["How far it agrees with people was not measured: its scores decide no gate of a trait."]
    head = ["| trait | kappa [95 %] | AC2 | replies | kappa of length alone | may decide its gate |"]
    rows = [_agreement_row(facts, name, judge.agreement.get(name)) for name in facts.evaluation.traits]
    on = HOW[facts.agreement.how] if facts.agreement else "on replies that it has not learned from"
    means = (
        f"Kappa (quadratic-weighted) says how far judge and people give the same scores beyond chance, {on}: 0 is "
        "chance, 1 is always. Where almost all scores are alike it is low and AC2 high: read both. A judge under "
        f"{number(needed)} on a trait decides no gate of it."
    )
    if judge.pass_agreement is not None:
        means += f" On whether a reply passes at all they agree in {judge.pass_agreement:.0%}."
    return ["\n".join([*head, "| --- | --- | --- | --- | --- | --- |", *rows]), means]


def _agreement_row(facts: Facts, name: str, kappa: float | None) -> str:
    """More than kappa where it was measured with the labels that the evaluation was decided with."""
    decides = "yes" if kappa is not None and kappa >= facts.evaluation.success.agreement else "no"
    more = facts.agreement.traits.get(name) if facts.agreement else None
    if facts.agreement is None or more is None or kappa is None or more.kappa != kappa:
        return f"| {name} | {_figure(kappa)} | | | | {decides} |"
    between = f" [{_figure(more.low)}, {_figure(more.high)}]"
    length = facts.agreement.baseline.traits.get(name)
    return f"| {name} | {_figure(kappa)}{between} | {_figure(more.ac2)} | {more.n} | {_figure(length)} | {decides} |"


def _figure(value: float | None) -> str:
    return "not measured" if value is None else number(value)


def _limits(facts: Facts) -> str:
    run, evaluation = facts.run, facts.evaluation
    lines = [
        f"- Trained on {run.plan.examples} examples in `{facts.loaded.spec.language}`; nothing beyond them is tested.",
        *(
            f"- {category}: tuned {sides['tuned']:.1f} of 10 (base {sides.get('base', 0):.1f})."
            for category, sides in sorted(evaluation.categories.items(), key=lambda row: row[1].get("tuned", 0))
            if "tuned" in sides
        ),
    ]
    if evaluation.tuned.cut:
        lines.append(f"- {evaluation.tuned.cut:.0%} of its replies had not ended after {evaluation.max_tokens} tokens.")
    if run.plan.base_model == SMOLLM2:
        lines.append("- The base has 135M parameters: it keeps to a manner and understands little of what it is told.")
    return "\n".join(lines)


def _proof(proof: Verification) -> str:
    if proof.difference is None or proof.largest is None or proof.runtime is None:
        return f"It could not be loaded back: {proof.note}."
    libraries = ", ".join(f"{name} {version}" for name, version in proof.versions.items())
    apart = (
        f"differ from the run's by {proof.difference:.1e} a token on average and {proof.largest:.1e} at most (allowed "
        f"on average: {proof.tolerance:g})"
        if proof.largest
        else "are exactly the run's"
    )
    told = (
        f"Loaded back in a process of its own with nothing but {libraries}, in {proof.runtime.dtype}: the prompts of "
        f"{proof.probes} probes are the token ids that trained, and the log-probabilities of the {proof.tokens} tokens "
        f"of its evaluated replies {apart}."
        if proof.verified
        else f"Loaded back with {libraries} it is not what was trained: {proof.note}."
    )
    note = f" Beside that, {proof.note}." if proof.verified and proof.note else ""
    return f"{told}{note}\n\nIts greedy reply to a probe:\n\n" + fenced(
        inert(f"> {proof.prompt}\n\n{proof.reply}"), "text"
    )


def _lineage(facts: Facts) -> str:
    plan, recipe, evaluation = facts.run.plan, facts.run.plan.recipe, facts.evaluation
    licence = base_licence(plan)
    under = f"licence `{licence}`" if licence else "see its own card for its licence"
    finished = facts.run.finished
    loss = f", loss {finished.loss:.3f}" if finished else ""
    lines = [
        f"- Base model: {_base(facts.run)}, {under}",
        f"- Spec: `{facts.loaded.spec.name}`, sha256 `{plan.spec_hash}`",
        f"- Training data: {plan.examples} conversations, sha256 `{plan.data_hash}`",
        f"- Run: `{plan.run_id}`, {plan.steps} steps in batches of {recipe.batch_size}, {recipe.method} r {recipe.rank}"
        f" alpha {recipe.alpha}, learning rate {recipe.learning_rate:g}, {recipe.epochs:g} epochs, seed "
        f"{recipe.seed}{loss}",
        f"- Adapter: `adapter_model.safetensors`, sha256 `{facts.adapter_sha256}`",
        f"- Evaluation: `{evaluation.id}`, by the same spec, {evaluation.created:%Y-%m-%d}; what it rests on is in "
        "[evidence/](evidence/)",
        "- `package.json` lists every file with its sha256; `studio package verify .` compares them",
    ]
    return "\n".join(lines)
