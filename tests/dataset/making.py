"""A spec and a workspace full of accepted examples, for the tests of the dataset."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from studio.spec import LoadedSpec, Spec
from studio.store import Workspace
from tests.store.making import example, judgement


def loaded(*probes: str, spec_hash: str = "spec-1") -> LoadedSpec:
    scenarios: dict[str, Any] = {"tasks": {"items": ["Create a task", "A", "B", "C"]}}
    scenarios |= {"probes": {"holdout": True, "items": list(probes)}} if probes else {}
    whole = {"schema": 2, "name": "Test", "purpose": "To test.", "traits": [{"name": "kind", "is": "Kind"}]}
    return LoadedSpec(
        path=Path("test.yaml"), spec=Spec.model_validate({**whole, "scenarios": scenarios}), hash=spec_hash
    )


def fill(workspace: Workspace, count: int) -> None:
    """Accepted examples ``e0`` ..., no two alike, each by somebody of their own, of four scenarios."""
    for number in range(count):
        rng = random.Random(f"fill {number}")
        said, reply = (" ".join(f"w{rng.randrange(10**6)}" for _ in range(12)) for _ in range(2))
        scenario = ("Create a task", "A", "B", "C")[number % 4]
        one = example(f"e{number}", said=said, reply=reply, scenario=scenario, person=f"p{number}")
        workspace.examples.add_example(one, judgement())
