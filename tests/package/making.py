"""A trained and evaluated run in a workspace: with files that nobody loads, or with an adapter of the tiny model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from studio.chatml import user
from studio.evaluate import Evaluation, Gate, Interval, JudgeInfo, Probe, save
from studio.evaluate.types import SideMetrics
from studio.spec import LoadedSpec, load
from studio.store import Workspace
from studio.train.run import write_run
from studio.train.types import Method, Recipe, Run, TrainFinished, TrainPlan
from tests.evaluate.making import NOON, judgement, result

FENCE = "`" * 5
SPEC = f"""schema: 2
name: Harbour
purpose: Answers on channel twelve.
# A comment with a fence of its own: {FENCE}
identity: |
  Speaks so:
  ```
  over
  ```
traits: [{{name: calm, is: Stays level}}]
scenarios: {{calls: {{target: 2, items: [A boat calls]}}, probes: {{holdout: true, items: ["Berth for [the Nina]"]}}}}
success: {{examples: 2}}
"""
QUESTIONS = (
    "Add milk.",
    "I am late.",
    "What is next?",
    "Call Ben.",
    "Hi",
    "Nothing works today!",
    "Thanks",
    "Buy tea",
    "No",
)


def write_spec(folder: Path, text: str = SPEC) -> LoadedSpec:
    path = folder / "harbour.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def write_adapter(folder: Path) -> Path:
    """What training leaves, machine path in the config included."""
    folder.mkdir(parents=True)
    config = {"base_model_name_or_path": "/home/someone/base", "r": 16, "peft_type": "LORA"}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    (folder / "adapter_model.safetensors").write_bytes(b"\x00weights")
    (folder / "tokenizer.json").write_text("{}")
    (folder / "tokenizer_config.json").write_text("{}")
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    (folder / "generation_config.json").write_text('{"do_sample": true, "eos_token_id": [2, 5], "pad_token_id": 3}')
    (folder.parent / "metrics.jsonl").write_text('{"step": 1, "loss": 0.5}\n')
    return folder


def train_adapter(folder: Path, base: str, *, template: str | None = None, system_prompt: str | None = None) -> Path:
    """A LoRA with random weights on ``base``, with the tokenizer and end tokens as the training worker saves them."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from studio.train.worker.encoding import pin
    from studio.train.worker.loading import greedy

    torch.manual_seed(0)
    config = LoraConfig(r=4, lora_alpha=16, target_modules=["q_proj", "v_proj", "down_proj"], task_type="CAUSAL_LM")
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), config)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.4)
    model.save_pretrained(str(folder))
    tokenizer = AutoTokenizer.from_pretrained(base)
    tokenizer.chat_template = template or tokenizer.chat_template
    pin(tokenizer, system_prompt)
    tokenizer.save_pretrained(str(folder))
    greedy(model, tokenizer).save_pretrained(str(folder))
    return folder


def run_of(
    adapter: Path,
    base: str = "org/model-7b",
    base_path: str | None = None,
    spec_hash: str = "s" * 64,
    *,
    method: Method = "lora",
    system_prompt: str | None = None,
    note: str = "",
) -> Run:
    """``base`` is a hub id, which is its own path, where no ``base_path`` is given."""
    plan = TrainPlan(
        run_id="run-1",
        base_model=base,
        base_path=base_path or base,
        recipe=Recipe(method=method),
        system_prompt=system_prompt,
        spec_hash=spec_hash,
        data_path="/home/someone/data.jsonl",
        data_hash="d" * 64,
        examples=24,
        steps=9,
        fingerprint="f",
        created=NOON,
        note=note,
    )
    finished = TrainFinished(run_id="run-1", steps=9, loss=0.5, seconds=3, adapter_path=str(adapter), adapter_mb=1.2)
    return Run(plan=plan, finished=finished)


def evaluation_of(probes: int = 3, **parts: Any) -> Evaluation:
    mean = Interval(value=7.25, low=6.5, high=8, n=probes)
    side = SideMetrics(overall=mean, traits={"calm": mean}, violations=None, n=probes, source="some-model", cut=0.25)
    gates = (
        Gate(name="overall", target=7.5, value=7.25, status="FAIL"),
        Gate(name="win_rate", target=0.7, value=None, status="UNDECIDED", note="12 more probes"),
        Gate(name="adapter_mb", target=50, value=1.2, status="PASS"),
    )
    results = tuple(result(f"p{index}", judgement(1), judgement(2), category="probes") for index in range(probes))
    whole: dict[str, Any] = {
        "id": "run-1-e1",
        "run_id": "run-1",
        "spec_name": "Harbour",
        "spec_hash": "s" * 64,
        "base_model": "org/model-7b",
        "judge": JudgeInfo(name="some-model"),
        "traits": ("calm",),
        "success": {"examples": 2},
        "trial": False,
        "max_tokens": 64,
        "base": side,
        "tuned": side,
        "win_rate": None,
        "categories": {"probes": {"base": 5.0, "tuned": 10.0}},
        "gates": gates,
        "results": results,
        "train_loss": 0.5,
        "adapter_mb": 1.2,
        "examples": 24,
        "created": NOON,
        "seconds": 1.0,
        "fingerprint": "f",
    }
    return Evaluation.model_validate(whole | parts)


def asked(replies: tuple[str, ...]) -> tuple[Any, ...]:
    """Probe results with these tuned replies to :data:`QUESTIONS`."""
    rows = zip(QUESTIONS, replies, strict=False)
    made = [
        (Probe(id=f"p{at}", category="c", scenario="s", messages=(user(text),)), said)
        for at, (text, said) in enumerate(rows)
    ]
    return tuple(
        result(probe.id, judgement(1), judgement(2)).model_copy(update={"probe": probe, "tuned": said})
        for probe, said in made
    )


class Made:
    """One spec, a workspace, a run in it and its evaluation."""

    def __init__(self, root: Path) -> None:
        self.loaded = write_spec(root)
        self.root = root / "ws"
        self.workspace = Workspace.open(self.root, self.loaded.spec.slug)
        self.adapter = write_adapter(self.workspace.runs_dir / "run-1" / "adapter")
        self.run = run_of(self.adapter, spec_hash=self.loaded.hash)
        write_run(self.workspace.runs_dir / "run-1", self.run)
        self.evaluation = evaluation_of(spec_hash=self.loaded.hash)
        save(self.workspace, self.evaluation)

    @property
    def params(self) -> dict[str, str]:
        return {
            "spec_path": str(self.loaded.path),
            "workspace": str(self.root),
            "run_id": "run-1",
            "evaluation_id": self.evaluation.id,
        }
