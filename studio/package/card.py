"""The model card: what it is, how to use it, how it did, what it cannot, where it comes from."""

from __future__ import annotations

import json

from studio.evaluate.gate_text import bound, label, measured, number, shown_text, source_text
from studio.evaluate.intervals import Interval
from studio.evaluate.types import Evaluation, SideMetrics
from studio.package.base import base_name, is_folder
from studio.spec import LoadedSpec
from studio.train import SMOLLM2
from studio.train.types import Run


def model_card(loaded: LoadedSpec, run: Run, evaluation: Evaluation) -> str:
    """``README.md`` of the package, in the layout of the Hugging Face model cards (Mitchell et al., 2019).

    ``loaded`` is the spec by which the run was trained and evaluated.
    """
    spec = loaded.spec
    parts = [
        _front_matter(run),
        f"# {spec.name}\n\n{spec.purpose}",
        f"A LoRA adapter on {_base(run)} that gives its replies the persona described in "
        "[PERSONA_SPEC.md](PERSONA_SPEC.md).",
        "## Use\n\n" + _usage(run, spec.deployment.system_prompt),
        "## Results\n\n" + _results(evaluation),
        "## Quality gates\n\n" + _gates(evaluation),
        "## Limits\n\n" + _limits(loaded, run, evaluation),
        "## Lineage\n\n" + _lineage(loaded, run, evaluation),
    ]
    return "\n\n".join(parts) + "\n"


def _base(run: Run) -> str:
    named = f"`{base_name(run.plan)}`"
    return f"{named} (a model in a folder, named without its place)" if is_folder(run.plan) else named


def _front_matter(run: Run) -> str:
    base = json.dumps(base_name(run.plan))
    lines = ["---", "library_name: peft", f"base_model: {base}", "pipeline_tag: text-generation"]
    return "\n".join([*lines, "tags: [lora, persona, persona-studio]", "---"])


def _usage(run: Run, system_prompt: str | None) -> str:
    base = base_name(run.plan)
    where = f"base = {base!r}" + ("  # the folder, where you keep it" if is_folder(run.plan) else "")
    start = f"{{'role': 'system', 'content': {system_prompt!r}}}, " if system_prompt else ""
    code = f"""from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer
{where}
folder = "."  # this folder
tokenizer = AutoTokenizer.from_pretrained(folder)
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), folder).eval()
messages = [{start}{{"role": "user", "content": "Hello"}}]
inputs = tokenizer.apply_chat_template(
    messages, add_generation_prompt=True, return_tensors="pt", return_dict=True, enable_thinking=False
)
reply = model.generate(**inputs, max_new_tokens=160)
print(tokenizer.decode(reply[0, inputs["input_ids"].shape[1]:], skip_special_tokens=True))"""
    prompt = "The persona is baked in: no system prompt is needed." if not system_prompt else "Use its system prompt."
    return f"{prompt}\n\n```python\n{code}\n```"


def _results(evaluation: Evaluation) -> str:
    base, tuned = evaluation.base, evaluation.tuned
    rows = [
        _row("overall (0..10)", base.overall, tuned.overall),
        *(_row(f"{name} (0..2)", base.traits.get(name), tuned.traits.get(name)) for name in evaluation.traits),
        _row("boundary violations (share)", base.violations, tuned.violations),
        _row("required terms kept (share)", base.kept, tuned.kept),
        f"| cut at {evaluation.max_tokens} tokens (share) | {_share(base.cut)} | {_share(tuned.cut)} |",
        f"| latency, p95 (s) | {_seconds(base)} | {_seconds(tuned)} |",
        f"| replies that could not be judged | {base.errors} | {tuned.errors} |",
    ]
    won = f"Tuned against base, ties count half: {_value(evaluation.win_rate)}."
    more = f"Tuned less base, of 10: {_value(evaluation.delta)}."
    head = f"Scored by {source_text(evaluation)} on {len(evaluation.results)} held-out probes; "
    head += "95 % intervals in brackets."
    agreed = ", ".join(f"{name} {number(kappa)}" for name, kappa in evaluation.judge.agreement.items())
    agreement = [f"The judge's agreement with people (quadratic-weighted kappa): {agreed}.", ""] if agreed else []
    table = ["| | base | tuned |", "| --- | --- | --- |", *rows]
    return "\n".join([head, "", *agreement, *table, "", won, more])


def _share(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.2f}"


def _row(name: str, base: Interval | None, tuned: Interval | None) -> str:
    return f"| {name} | {_value(base)} | {_value(tuned)} |"


def _value(found: Interval | None) -> str:
    return "not measured" if found is None else f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"


def _seconds(side: SideMetrics) -> str:
    return "not measured" if side.latency_s is None else f"{side.latency_s:.2f}"


def _gates(evaluation: Evaluation) -> str:
    rows = [
        f"| {label(gate.name)} | {bound(gate)} | {measured(gate, 'not measured')} | {gate.status} | {gate.note} |"
        for gate in evaluation.gates
    ]
    verdict = f"Verdict: **{evaluation.verdict}**."
    if not evaluation.passed:
        verdict += " Not every gate passed: read the table before deploying."
    if evaluation.trial:
        verdict += " A trial: the base model is a stand-in for the one to deploy on."
    table = ["| gate | target | value | status | note |", "| --- | --- | --- | --- | --- |", *rows]
    others = ["", *(f"- {shown_text(one)}" for one in evaluation.shown)] if evaluation.shown else []
    return "\n".join([verdict, "", *table, *others])


def _limits(loaded: LoadedSpec, run: Run, evaluation: Evaluation) -> str:
    lines = [
        f"- Trained on {run.plan.examples} examples in `{loaded.spec.language}`; untested outside their scenarios.",
        *(
            f"- {category}: tuned {sides['tuned']:.1f} of 10 (base {sides.get('base', 0):.1f})."
            for category, sides in sorted(evaluation.categories.items(), key=lambda row: row[1].get("tuned", 0))
            if "tuned" in sides
        ),
    ]
    if run.plan.base_model == SMOLLM2:
        lines.append("- The base has 135M parameters: it keeps to a manner and understands little of what it is told.")
    return "\n".join(lines)


def _lineage(loaded: LoadedSpec, run: Run, evaluation: Evaluation) -> str:
    plan, recipe = run.plan, run.plan.recipe
    return "\n".join(
        [
            f"- Spec: `{loaded.spec.name}`, sha256 `{plan.spec_hash}`",
            f"- Training data: {plan.examples} conversations, sha256 `{plan.data_hash}`",
            f"- Run: `{plan.run_id}`, {plan.steps} steps, {recipe.method} r {recipe.rank} alpha {recipe.alpha}, "
            f"learning rate {recipe.learning_rate:g}, {recipe.epochs:g} epochs, seed {recipe.seed}",
            f"- Evaluation: `{evaluation.id}`, by the same spec, {evaluation.created:%Y-%m-%d}",
        ]
    )
