"""A trained and evaluated run in a workspace, with an adapter folder made by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from studio.evaluate import Evaluation, Gate, Interval, JudgeInfo
from studio.evaluate.report import save
from studio.evaluate.types import SideMetrics
from studio.spec import LoadedSpec, Success, load
from studio.store import Workspace
from studio.train.folder import write_run
from studio.train.types import Recipe, Run, TrainFinished, TrainPlan
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
    return folder


def run_of(adapter: Path, base: str = "pocket", base_path: str | None = None, spec_hash: str = "s" * 64) -> Run:
    """``base`` is a hub id, which is its own path, where no ``base_path`` is given."""
    plan = TrainPlan(
        run_id="run-1",
        base_model=base,
        base_path=base_path or ("/home/someone/base" if base == "pocket" else base),
        recipe=Recipe(),
        spec_hash=spec_hash,
        data_path="/home/someone/data.jsonl",
        data_hash="d" * 64,
        examples=24,
        steps=9,
        fingerprint="f",
        created=NOON,
    )
    finished = TrainFinished(run_id="run-1", steps=9, loss=0.5, seconds=3, adapter_path=str(adapter), adapter_mb=1.2)
    return Run(plan=plan, finished=finished)


def evaluation_of(probes: int = 3, **parts: Any) -> Evaluation:
    mean = Interval(value=7.25, low=6.5, high=8, n=probes)
    side = SideMetrics(overall=mean, traits={"calm": mean}, violations=None)
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
        "base_model": "pocket",
        "judge": JudgeInfo(name="gpt-5-mini", agreement={"calm": 0.62}),
        "traits": ("calm",),
        "success": Success(),
        "trial": False,
        "max_tokens": 512,
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
