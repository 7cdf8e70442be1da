"""Small specs and people for the tests of this room."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from studio.generate.types import AuthorBrief
from studio.spec import LoadedSpec, Spec, load
from studio.store.records import Person

SPECS = Path(__file__).parents[2] / "specs"
SOMEBODY = Person(id="somebody", source="bank", name="Ada")


@cache
def taskmaster() -> LoadedSpec:
    return load(SPECS / "taskmaster.yaml")


def loaded_spec(context: str = "", spec_hash: str = "0" * 64, **parts: Any) -> LoadedSpec:
    """A spec of one trait and whatever ``parts`` say."""
    whole: dict[str, Any] = {
        "schema": 2,
        "name": "Tester",
        "purpose": "Helps with pets.",
        "traits": [{"name": "kind", "is": "Kind"}],
        "scenarios": {"pets": {"target": 4, "items": ["Found a pet"]}},
    }
    return LoadedSpec(
        path=Path("tester.yaml"), spec=Spec.model_validate(whole | parts), hash=spec_hash, context_text=context
    )


def brief(loaded: LoadedSpec, scenario: str, seed: int = 0, person: Person = SOMEBODY) -> AuthorBrief:
    category = loaded.spec.category_of(scenario)
    assert category is not None
    return AuthorBrief(spec=loaded.spec, category=category, scenario=scenario, person=person, seed=seed)
