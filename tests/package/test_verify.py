"""A package is proven by loading it back with transformers and peft alone: by token ids and log-probabilities."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from studio.evaluate import Evaluation
from studio.package.card import Facts, model_card, snippet
from studio.package.contents import copy_adapter, copy_tokenizer
from studio.package.packages import Verification
from studio.package.verify import PROBES, TOLERANCES, compared, verify
from studio.serve import run_params
from studio.serve.logprobs import PlainAnswer, PlainQuestion, Reply, Row, RunAnswer, RunQuestion, Runtime
from studio.serve.worker import logprobs, plain
from studio.train.types import Method, Run
from studio.train.worker.encoding import original
from tests.package.making import QUESTIONS, asked, evaluation_of, run_of, train_adapter, write_spec
from tests.tiny_model import SIZES, tiny_base, write_tiny_base
from tests.train.test_chat_template import DATED, THINKING

REPLIES = (
    "Milk is on your list.",
    "No rush!",
    "Call Ben.",
    "",
    "Done: one call.",
    "One thing.",
    "Any time!",
    "Tea.",
    "Ok",
)


def packed(
    root: Path, template: str | None = None, system_prompt: str | None = None, method: Method = "lora"
) -> tuple[Run, Path]:
    """A run on the tiny model, and a package of it without its documents."""
    base = tiny_base() if method == "lora" else str(write_tiny_base(root / "base"))
    adapter = train_adapter(root / "run" / "adapter", base, template=template, system_prompt=system_prompt)
    run = run_of(adapter, base, base, system_prompt=system_prompt, method=method)
    folder = root / "package"
    folder.mkdir()
    copy_adapter(run, folder)
    copy_tokenizer(run, folder, 24)
    return run, folder


def by_run(run: Run) -> tuple[tuple[Reply, ...], RunAnswer]:
    rows = [row for row in asked(REPLIES) if row.tuned]
    replies = tuple(Reply(messages=row.probe.messages, text=row.tuned) for row in rows)
    return replies, logprobs.answer(RunQuestion(params=run_params(run), replies=replies))


def proven(run: Run, folder: Path, most_tokens: int = 24) -> Verification:
    """As :func:`studio.package.verify.verify`, in this process."""
    replies, told = by_run(run)
    question = PlainQuestion(
        folder=str(folder),
        base=run.plan.base_path,
        runtime=told.runtime,
        replies=replies,
        rows=told.rows,
        most_tokens=most_tokens,
    )
    return compared(told, plain.answer(question), "evaluated")


def scaled(folder: Path, factor: float) -> None:
    from safetensors.torch import load_file, save_file

    path = folder / "adapter_model.safetensors"
    weights = {name: one * factor if "lora_B" in name else one for name, one in load_file(path).items()}
    save_file(weights, path, metadata={"format": "pt"})


def configured(folder: Path, **values: Any) -> None:
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def unpinned(folder: Path) -> None:
    path = folder / "chat_template.jinja"
    path.write_text(original(path.read_text()))


@pytest.mark.parametrize("template", [None, THINKING, DATED], ids=["markers", "thinking", "dated"])
@pytest.mark.parametrize("prompt", [None, "Be kind."])
def test_what_was_packed_is_what_was_trained(tmp_path: Path, template: str | None, prompt: str | None) -> None:
    proof = proven(*packed(tmp_path, template, prompt))
    assert proof.verified and proof.probes == 8 and proof.tokens > 40
    assert proof.difference is not None and proof.difference < TOLERANCES["float32"] / 10
    assert proof.reply and proof.note.startswith("its greedy reply differs"), "which decides nothing"


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda folder: scaled(folder, 1.01), "log-probabilities differ by"),
        (lambda folder: configured(folder, lora_alpha=15), "log-probabilities differ by"),
        (lambda folder: configured(folder, target_modules=["q_proj", "v_proj"]), "log-probabilities differ by"),
        (unpinned, "8 of 8 prompts are other tokens"),
    ],
    ids=["weights", "alpha", "modules", "template"],
)
def test_a_package_that_is_another_one_fails_and_says_by_how_much(
    tmp_path: Path, damage: Callable[[Path], None], told: str
) -> None:
    run, folder = packed(tmp_path, THINKING)
    damage(folder)
    proof = proven(run, folder)
    assert not proof.verified and told in proof.note
    if "template" not in told and "prompts" not in told:
        assert proof.difference is not None and proof.difference > 2 * TOLERANCES["float32"]
        assert f"{proof.difference:.2g} a token, over the tolerance of 0.0001" in proof.note


def test_a_qlora_run_is_proven_on_the_base_in_4_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, size in (("hidden_size", 64), ("intermediate_size", 128)):  # whole blocks of the quantisation
        monkeypatch.setitem(SIZES, name, size)
    run, folder = packed(tmp_path, method="qlora")
    proof = proven(run, folder)
    assert proof.verified and proof.runtime is not None and proof.runtime.four_bits, proof.note
    assert proof.tolerance == TOLERANCES["bfloat16"], "of what is computed in"
    _, told = by_run(run)
    plan = run.plan.model_copy(update={"recipe": run.plan.recipe.model_copy(update={"method": "lora"})})
    _, in_full = by_run(run.model_copy(update={"plan": plan}))
    plainly = PlainAnswer(rows=in_full.rows, reply="x", cut=False, versions={})
    assert not compared(told, plainly, "x").verified, "in full precision it is another model"
    code = (
        snippet(run, told.runtime)
        .replace("Hello", QUESTIONS[0])
        .replace("base = 'base'", f"base = {run.plan.base_path!r}")
    )
    monkeypatch.chdir(folder)
    exec(code, {})
    assert capsys.readouterr().out == f"{proof.reply}\n"


def test_a_number_that_is_none_proves_nothing() -> None:
    row = Row(prompt=(1,), taught=(2,), logprobs=(-1.0,))
    told = RunAnswer(rows=(row,), runtime=Runtime(dtype="float32", device="cpu"))
    found = PlainAnswer(rows=(row.model_copy(update={"logprobs": (float("nan"),)}),), reply="x", cut=False, versions={})
    assert not compared(told, found, "x").verified


async def test_a_package_is_proven_and_its_card_s_snippet_runs(tmp_path: Path) -> None:
    """Both in processes of their own, as for a user."""
    run, folder = packed(tmp_path)
    replies = asked(REPLIES)
    evaluation: Evaluation = evaluation_of(results=replies, max_tokens=24)
    proof = await verify(folder, run, evaluation)
    assert proof.verified and proof.difference is not None and proof.difference < TOLERANCES["float32"] / 10
    assert proof.probes == PROBES == len([one for one in REPLIES if one])
    assert proof.prompt == QUESTIONS[0] and proof.expected == REPLIES[0]
    assert set(proof.versions) == {"torch", "transformers", "peft"} and proof.seconds > 0
    card = model_card(Facts(write_spec(tmp_path), run, evaluation, proof, adapter_sha256="a" * 64))
    (code,) = re.findall(r"^```python\n(.*?)\n```$", card, re.DOTALL | re.MULTILINE)
    code = code.replace(f"base = {Path(tiny_base()).name!r}", f"base = {tiny_base()!r}").replace("Hello", QUESTIONS[0])
    assert await asyncio.to_thread(printed, code, folder) == f"{proof.reply}\n"


def printed(code: str, folder: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": "", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_where_the_run_itself_cannot_be_loaded_it_says_why(tmp_path: Path) -> None:
    run, folder = packed(tmp_path)
    (tmp_path / "run" / "adapter" / "adapter_config.json").unlink()
    proof = await verify(folder, run, evaluation_of(results=asked(REPLIES)))
    assert not proof.verified and "no adapter there" in proof.note and proof.difference is None


async def test_an_evaluation_without_replies_proves_nothing(tmp_path: Path) -> None:
    run = run_of(tmp_path, tiny_base(), tiny_base())
    failed = tuple(row.model_copy(update={"tuned": "", "tuned_error": "no reply"}) for row in asked(REPLIES))
    for results in ((), failed):
        proof = await verify(tmp_path, run, evaluation_of(results=results))
        assert not proof.verified and "no probe with a reply" in proof.note
