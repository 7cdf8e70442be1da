"""Preferences for the tiny model: plans of DPO and KTO on an adapter that SFT trained in a few steps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from studio.chatml import Message
from studio.train.base import adapter_hash
from studio.train.planning import fingerprint
from studio.train.run import ADAPTER
from studio.train.types import Objective, PreferenceRecipe, TrainPlan
from studio.train.worker.progress import Control
from studio.train.worker.run import train
from tests.train.making import conversations, make_plan

BAD = "OK."


def trained(folder: Path, **recipe: Any) -> tuple[TrainPlan, Path]:
    """A finished SFT run: its plan and its adapter."""
    plan = make_plan(folder / "sft", **recipe)
    train(plan, folder / "sft-run", Control(lambda event: None))
    return plan, folder / "sft-run" / ADAPTER


def turns(messages: tuple[Message, ...]) -> list[dict[str, str]]:
    return [message.model_dump() for message in messages]


def rows(objective: Objective, count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for number, (asked, reply) in enumerate(conversations(count, seed=3)):
        prompt, bad = turns((asked,)), [{"role": "assistant", "content": BAD}]
        good = turns((reply,))
        if objective == "dpo":
            found.append({"prompt": prompt, "chosen": good, "rejected": bad})
        else:
            found.append({"prompt": prompt, "completion": good if number % 3 else bad, "label": bool(number % 3)})
    return found


def preference_plan(
    folder: Path, objective: Objective, parent: tuple[TrainPlan, Path], count: int = 24, **recipe: Any
) -> TrainPlan:
    plan, adapter = parent
    asked = {"learning_rate": 1e-3, "epochs": 2, "batch_size": 8, "micro_batch_size": 4, "backend": "peft", **recipe}
    chosen = plan.recipe.model_copy(update=asked)
    folder.mkdir(parents=True, exist_ok=True)
    data = folder / f"{objective}.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows(objective, count)))
    mark = fingerprint(objective=objective, recipe=chosen.model_dump(mode="json"), data=count)
    return plan.model_copy(
        update={
            "run_id": f"run-{mark[:10]}",
            "recipe": chosen,
            "data_path": str(data),
            "examples": count,
            "steps": chosen.steps(count),
            "fingerprint": mark,
            "objective": objective,
            "parents": (plan.run_id,),
            "start_path": str(adapter),
            "start_hash": adapter_hash(adapter),
            "preference": PreferenceRecipe(),
        }
    )
