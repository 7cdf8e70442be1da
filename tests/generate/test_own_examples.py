"""Generating offline from a spec whose own examples do not pass the rules judge: the end says what the spec lacks."""

from __future__ import annotations

from pathlib import Path

from studio.generate import GenerateParams, generate
from studio.generate.types import GenerateFinished
from studio.llm import ModelSettings
from studio.store import Workspace
from tests.generate.making import loaded_spec

PETS = ["cat", "dog", "hen", "cow", "fox"]
EXAMPLES = [
    {
        "scenario": "Found a pet",
        "user": f"I found a {pet}.",
        "assistant": f"Keep the {pet} warm. Then call the shelter.",
    }
    for pet in PETS
]


async def note_of(tmp_path: Path, cues: list[str]) -> str:
    traits = [{"name": "kind", "is": "Kind", "cues": cues}]
    loaded = loaded_spec(traits=traits, slots={"pet": PETS}, examples=EXAMPLES)
    workspace = Workspace.open(tmp_path, loaded.spec.slug)
    params = GenerateParams(
        spec_path="tester.yaml", workspace=str(tmp_path), settings=ModelSettings(), examples=4, max_attempts=1
    )
    try:
        events = [event async for event in generate(loaded, workspace, params, lambda: False)]
    finally:
        workspace.close()
    ended = events[-1]
    assert isinstance(ended, GenerateFinished)
    return ended.note


async def test_cues_that_the_examples_do_not_hold_are_named_at_the_end(tmp_path: Path) -> None:
    note = await note_of(tmp_path, ["dear friend"])
    assert note.startswith(
        "out of attempts: pets 0 of 4; 5 of 5 of the spec's own examples do not pass the judge: kind"
    )
    assert "`cues`" in note


async def test_without_cues_the_examples_pass_and_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert await note_of(tmp_path, []) == ""
