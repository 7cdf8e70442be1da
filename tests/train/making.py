"""Small data and plans for training the tiny base model in a few steps."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from transformers import AutoModelForCausalLM, PreTrainedConfig, set_seed

from studio.chatml import Message, assistant, system, user
from studio.train.planning import fingerprint
from studio.train.types import Recipe, TrainPlan
from tests.tiny_model import tiny_base, write_tokenizer

_TASKS = (
    "buy milk|call Ben|review the report|pay the rent|water the plants|book a flight|email Kate|fix the bike".split("|")
)


def make_base(folder: Path, config: PreTrainedConfig) -> str:
    set_seed(0)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    write_tokenizer(folder)
    return str(folder)


def conversations(count: int, seed: int = 0) -> list[tuple[Message, ...]]:
    rng = random.Random(seed)
    made: list[tuple[Message, ...]] = []
    for _ in range(count):
        task = rng.choice(_TASKS)
        reply = f"Nice work! I added '{task}' to your list. {rng.choice(('What is next?', 'Shall we go on?'))}"
        made.append((user(rng.choice((f"Add {task}.", f"I need to {task} tomorrow."))), assistant(reply)))
    return made


def two_turns() -> tuple[Message, ...]:
    return (
        system("Be kind."),
        user("Add buy milk."),
        assistant("Great choice! It is on your list."),
        user("I bought milk"),
        assistant("Nice work!"),
    )


def write_data(path: Path, rows: list[tuple[Message, ...]]) -> Path:
    lines = [json.dumps({"messages": [message.model_dump() for message in row]}, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def make_plan(folder: Path, count: int = 24, *, base_path: str | None = None, **recipe: Any) -> TrainPlan:
    """A plan of three steps an epoch (24 examples in batches of 8), and its data in ``folder``."""
    chosen = Recipe(**{"learning_rate": 4e-3, "epochs": 2, "rank": 4, "max_length": 256, "backend": "peft", **recipe})
    folder.mkdir(parents=True, exist_ok=True)
    data = write_data(folder / "export.jsonl", conversations(count))
    mark = fingerprint(recipe=chosen.model_dump(mode="json"), data=count)
    return TrainPlan(
        run_id=f"run-{mark[:10]}",
        base_model=base_path or tiny_base(),
        base_path=base_path or tiny_base(),
        recipe=chosen,
        spec_hash="spec",
        data_path=str(data),
        data_hash="data",
        examples=count,
        steps=chosen.steps(count),
        fingerprint=mark,
        created=datetime.now(UTC),
    )
