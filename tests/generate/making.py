"""Small specs for the tests of this room."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from studio.chatml import Messages
from studio.spec import LoadedSpec, Spec, load
from studio.store.records import Person
from tests import small_persona

SPECS = Path(__file__).parents[2] / "specs"
SOMEBODY = Person(id="somebody", source="bank", name="Ada")


@cache
def taskmaster() -> LoadedSpec:
    return load(SPECS / "taskmaster.yaml")


@cache
def wren() -> LoadedSpec:
    return load(small_persona.SPEC)


def loaded_spec(context: str = "", spec_hash: str = "0" * 64, recorded: Path | None = None, **parts: Any) -> LoadedSpec:
    """A spec of one trait and whatever ``parts`` say."""
    whole: dict[str, Any] = {
        "schema": 2,
        "name": "Tester",
        "purpose": "Helps with pets.",
        "traits": [{"name": "kind", "is": "Kind"}],
        "scenarios": {"pets": {"target": 4, "items": ["Found a pet"]}},
    }
    return LoadedSpec(
        path=Path("tester.yaml"),
        spec=Spec.model_validate(whole | parts),
        hash=spec_hash,
        context_text=context,
        recorded_path=recorded,
    )


def line(scenario: str, messages: Messages, **person: Any) -> str:
    """One line of a recording."""
    turns = [message.model_dump() for message in messages]
    return json.dumps({"scenario": scenario, "person": person, "messages": turns})
