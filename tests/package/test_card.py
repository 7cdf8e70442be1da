"""The model card says how it did, by whose word, also where it did badly or nobody measured."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from studio.evaluate import Evaluation, JudgeInfo, Shown
from studio.judge import Agreement
from studio.judge.agreement import Baseline, PassAgreement, TraitAgreement
from studio.package.card import Facts, model_card
from studio.package.packages import Verification
from studio.serve.logprobs import Runtime
from studio.train.types import Run
from tests.package.making import SPEC, evaluation_of, run_of, write_spec

CPU = Runtime(dtype="float32", device="cpu")
PROOF = Verification(
    verified=True,
    prompt="Hi",
    reply="Over.\x1b[31m```",
    expected="Over.",
    seconds=2,
    probes=8,
    tokens=95,
    difference=1.5e-7,
    largest=2e-6,
    tolerance=1e-4,
    runtime=CPU,
    versions={"transformers": "5.17.0", "peft": "0.21.2"},
)


def card(
    folder: Path,
    run: Run | None = None,
    evaluation: Evaluation | None = None,
    spec: str = SPEC,
    proof: Verification = PROOF,
    **more: Any,
) -> str:
    loaded, run, evaluation = write_spec(folder, spec), run or run_of(folder), evaluation or evaluation_of()
    return model_card(Facts(loaded, run, evaluation, proof, adapter_sha256="a" * 64, **more))


def agreement_of(kappa: float) -> Agreement:
    counts = ((0, 0, 0), (0, 0, 0), (0, 0, 240))
    trait = TraitAgreement(
        kappa=kappa, low=0.12, high=0.5, ac2=0.88, ac2_low=0.8, ac2_high=0.9, n=240, confusion=counts
    )
    return Agreement(
        judge="learned judge",
        version="v7",
        how="locked",
        labels="l",
        traits={"calm": trait},
        pass_agreement=0.83,
        passes=PassAgreement(share=0.83, low=0.7, high=0.9, n=240, confusion=((0, 0), (0, 240))),
        n=240,
        errors=0,
        baseline=Baseline(traits={"calm": 0.05}, pass_agreement=0.6),
    )


def snippet_of(text: str) -> str:
    found = re.findall(r"^```python\n(.*?)\n```$", text, re.DOTALL | re.MULTILINE)
    assert len(found) == 1
    return str(found[0])


def passed(**parts: Any) -> Evaluation:
    return evaluation_of(gates=evaluation_of().gates[2:], **parts)


def test_gates_are_shown_with_their_intervals_and_notes(tmp_path: Path) -> None:
    text = card(tmp_path)
    assert "| overall | >= 7.5 | 7.25 | 6.50 to 8.00 | FAIL |  |" in text
    assert "| win rate | >= 70% | not measured |  | UNDECIDED | 12 more probes |" in text
    assert "| adapter MB | <= 50 MB | 1.20 MB |  | PASS |  |" in text
    assert "> **Not approved.** Failed: overall; undecided: win rate." in text


def test_what_was_not_measured_is_said_to_be_so(tmp_path: Path) -> None:
    text = card(tmp_path)
    assert "| boundary violations (share) | not measured | not measured |" in text
    assert "| latency, p95 (s) | not measured | not measured |" in text
    assert "ties count half: not measured." in text


def test_only_a_model_whose_gates_all_passed_is_approved(tmp_path: Path) -> None:
    assert "> **Approved for deployment.** Every gate passed." in card(tmp_path, evaluation=passed())


def test_a_trial_says_first_that_it_is_one_and_what_it_stands_in_for(tmp_path: Path) -> None:
    shown = (Shown(name="adapter_mb", value=1.2, note="measured on the stand-in base: decides nothing"),)
    run = run_of(tmp_path, "smollm2", "/home/someone/.cache/persona-studio/bases/smollm2-1")
    text = card(tmp_path, run, passed(trial=True, shown=shown))
    before = text.partition("## Use")[0]
    assert (
        "> **Trial on SmolLM2-135M-Instruct, a stand-in for meta-llama/Llama-3.1-8B-Instruct: not approved for "
        "deployment.** Every gate that could be decided on the stand-in passed." in before
    )
    assert "Approved for deployment" not in text
    assert "Shown, and deciding nothing: adapter MB: 1.20 MB (measured on the stand-in base: decides nothing)." in text
    assert "135M parameters" in text and "licence `apache-2.0`" in text and "/home/" not in text


def test_a_package_that_failed_its_proof_says_so_first(tmp_path: Path) -> None:
    proof = PROOF.model_copy(update={"verified": False, "note": "log-probabilities differ by 0.3 a token"})
    text = card(tmp_path, evaluation=passed(), proof=proof)
    assert "> **Not verified**: log-probabilities differ by 0.3 a token." in text.partition("## Use")[0]
    assert "it is not what was trained: log-probabilities differ by 0.3 a token." in text


def test_the_proof_is_told_with_its_figures_and_one_harmless_reply(tmp_path: Path) -> None:
    text = card(tmp_path)
    assert "transformers 5.17.0, peft 0.21.2, in float32: the prompts of 8 probes" in text
    assert (
        "differ from the run's by 1.5e-07 a token on average and 2.0e-06 at most (allowed on average: 0.0001)" in text
    )
    same = card(tmp_path, proof=PROOF.model_copy(update={"difference": 0.0, "largest": 0.0}))
    assert "the 95 tokens of its evaluated replies are exactly the run's." in same
    assert "````text\n> Hi\n\nOver.\ufffd[31m```\n````" in text


def test_the_judge_is_named_with_its_agreement_on_each_trait(tmp_path: Path) -> None:
    judge = JudgeInfo(name="learned judge", version="v7", kind="learned", agreement={"calm": 0.31}, pass_agreement=0.83)
    text = card(tmp_path, evaluation=evaluation_of(judge=judge))
    assert "Judge: `learned judge` (v7), a regression learned from people's labels, which sees manner" in text
    assert "| calm | .31 | | | | no |" in text
    assert "under .40 on a trait decides no gate" in text and "they agree in 83%" in text
    text = card(tmp_path, evaluation=evaluation_of(judge=judge), agreement=agreement_of(0.31))
    assert "| calm | .31 [.12, .50] | .88 | 240 | .05 | no |" in text and "runs that were locked away" in text
    text = card(tmp_path, evaluation=evaluation_of(judge=judge), agreement=agreement_of(0.66))
    assert "| calm | .31 | | | | no |" in text, "measured again since, with other labels"
    trusted = evaluation_of(judge=judge.model_copy(update={"agreement": {"calm": 0.62}}))
    assert "| calm | .62 | | | | yes |" in card(tmp_path, evaluation=trusted)


def test_a_judge_that_nobody_measured_is_not_dressed_up(tmp_path: Path) -> None:
    assert "How far it agrees with people was not measured" in card(tmp_path)
    nobody = evaluation_of(judge=JudgeInfo(name="unscored", kind="nobody"))
    assert "Nobody judged but the rules" in card(tmp_path, evaluation=nobody)


def test_labels_of_people_and_the_share_of_cut_replies_are_told(tmp_path: Path) -> None:
    text = card(tmp_path)
    assert "No person has labelled a reply of this run." in text
    assert "| replies cut at 64 tokens (share) | 25% | 25% |" in text
    assert "25% of its replies had not ended after 64 tokens" in text
    side = evaluation_of().tuned.model_copy(update={"labels": 50, "n": 60, "source": "people + some-model"})
    text = card(tmp_path, evaluation=evaluation_of(tuned=side, votes=12))
    assert "People labelled 50 of 60 tuned and 0 of 3 base replies, blind, and compared 12 pairs" in text
    assert "scored by people + some-model" in text


def test_the_rank_that_fits_is_told_where_the_adapter_is_too_large(tmp_path: Path) -> None:
    note = "rank 16 makes an adapter of 83.9 MB, over the spec's limit of 50 MB: rank 8 fits (41.9 MB)"
    assert note in card(tmp_path, run_of(tmp_path, note=note))


@pytest.mark.parametrize("base", ["org/model-7b", 'it\'s \\ a "path"'])
@pytest.mark.parametrize("runtime", [CPU, Runtime(dtype="bfloat16", device="cuda")])
def test_the_usage_snippet_is_python_and_loads_as_it_was_evaluated(tmp_path: Path, base: str, runtime: Runtime) -> None:
    text = card(tmp_path, run_of(tmp_path, base), proof=PROOF.model_copy(update={"runtime": runtime}))
    tree = ast.parse(snippet_of(text))
    compile(tree, "README.md", "exec")
    assert base in [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert f"dtype=torch.{runtime.dtype}" in text and ("device_map" in text) == (runtime.device == "cuda")
    assert "BitsAndBytes" not in text and "trained in: no system prompt" in text


def test_a_qlora_run_is_loaded_in_4_bits_as_it_was_trained(tmp_path: Path) -> None:
    four = Runtime(dtype="float32", device="cpu", four_bits=True, compute_dtype="bfloat16")
    text = card(tmp_path, run_of(tmp_path, method="qlora"), proof=PROOF.model_copy(update={"runtime": four}))
    code = snippet_of(text)
    calls = {
        node.func.id: node
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    told = {one.arg: ast.unparse(one.value) for one in calls["BitsAndBytesConfig"].keywords}
    assert told == {
        "load_in_4bit": "True",
        "bnb_4bit_quant_type": "'nf4'",
        "bnb_4bit_use_double_quant": "True",
        "bnb_4bit_compute_dtype": "torch.bfloat16",
    }
    assert "quantization_config=four_bits" in code and "QLoRA" in text


def test_a_system_prompt_is_said_to_be_in_the_template(tmp_path: Path) -> None:
    text = card(tmp_path, spec=SPEC + f"deployment: {{system_prompt: {json.dumps('Be calm.')}}}\n")
    assert "system prompt is part of the chat template" in text and "Be calm" not in snippet_of(text)


def test_the_lineage_leads_back_to_spec_data_run_and_adapter(tmp_path: Path) -> None:
    text = card(tmp_path)
    for mark in ("s" * 64, "d" * 64, "a" * 64, "`run-1`", "`run-1-e1`", "seed 0", "see its own card for its licence"):
        assert mark in text
