"""The balance of what is accepted against the spec's targets."""

from __future__ import annotations

from pathlib import Path

from studio.spec import LoadedSpec, Spec
from studio.store import Workspace
from studio.triage import Triage, balance
from tests.store.making import example, judgement

SPEC = Spec.model_validate(
    {
        "schema": 1,
        "name": "Test",
        "purpose": "To test.",
        "traits": [{"name": "kind", "is": "Kind"}],
        "scenarios": {
            "tasks": {"target": 3, "items": ["Create a task"]},
            "edges": {"target": 1, "items": ["Delete all"]},
            "unseen": {"holdout": True, "items": ["Sing"]},
        },
        "success": {"examples": 4},
    }
)
LOADED = LoadedSpec(path=Path("test.yaml"), spec=SPEC, hash="spec-1")


def test_each_category_is_held_against_its_target(workspace: Workspace) -> None:
    store = workspace.examples
    store.add_example(example("a"), judgement())
    store.add_example(example("b"), judgement())
    store.add_example(example("c"), judgement("failed"))
    store.add_example(example("d", category="gone"), judgement())
    store.add_example(example("e", spec_hash="spec-0"), judgement(spec_hash="spec-0"))
    tasks, edges, gone = balance(LOADED, workspace)
    assert (tasks.category, tasks.target, tasks.accepted, tasks.rejected, tasks.missing) == ("tasks", 3, 2, 1, 1)
    assert (tasks.share, tasks.wanted_share) == (2 / 3, 3 / 4)
    assert (edges.category, edges.target, edges.accepted, edges.missing, edges.share) == ("edges", 1, 0, 1, 0)
    assert (gone.category, gone.target, gone.accepted, gone.missing, gone.wanted_share) == ("gone", 0, 1, 0, 0)
    Triage(workspace).accept("c")
    assert balance(LOADED, workspace)[0].missing == 0
