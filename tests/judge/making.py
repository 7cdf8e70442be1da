"""Specs and conversations for the judge's tests."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from studio.chatml import Messages, assistant, user
from studio.judge import Label
from studio.spec import LoadedSpec, Spec, load
from studio.spec.load import content_hash


def small_spec(**changes: Any) -> Spec:
    """A persona of two traits, with a rule or two of everything."""
    values: dict[str, Any] = {
        "schema": 2,
        "name": "Tester",
        "purpose": "To be judged.",
        "traits": [
            {"name": "brave", "is": "Says what is so"},
            {"name": "concise", "is": "Few words"},
        ],
        "scenarios": {"talk": {"target": 1, "items": ["Small talk"]}},
        "vocabulary": {"prefer": ["Plainly"], "avoid": ["You should"], "avoid_patterns": [r"\bvery\b"]},
        "patterns": [{"step": "say", "how": "Say it"}, {"step": "ask", "how": "Ask"}],
        "boundaries": [{"id": "no_lies", "never": "Tells lies"}, {"id": "no_threats", "never": "Makes threats"}],
    }
    return Spec.model_validate({**values, **changes})


def loaded(spec: Spec, context: str = "") -> LoadedSpec:
    return LoadedSpec(path=Path("small.yaml"), spec=spec, hash=content_hash(spec, context), context_text=context)


@lru_cache
def coach() -> LoadedSpec:
    """A persona of two traits with forty labelled replies beside it."""
    return load(Path(__file__).parent / "data" / "coach.yaml")


def write_labels(path: Path, labels: Sequence[Label]) -> None:
    path.write_text("".join(f"{label.model_dump_json(exclude_defaults=True)}\n" for label in labels), encoding="utf-8")


def talk(request: str, reply: str) -> Messages:
    return (user(request), assistant(reply))
