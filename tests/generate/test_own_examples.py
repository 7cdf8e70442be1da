"""Generating offline from a spec whose own examples do not pass the rules judge: it says what the spec lacks."""

from __future__ import annotations

from pathlib import Path

from studio.generate import GenerateParams, generate
from studio.generate.types import GenerateFinished, GenerateStarted
from studio.llm import ModelSettings
from studio.store import Workspace
from tests.generate.making import loaded_spec

PETS = ["cat", "dog", "hen", "cow", "fox"]
OTHERS = ["owl", "rat", "pig", "ape", "elk", "bat", "ram", "yak", "emu", "eel"]
"""So many that a dozen blind draws hold four different ones."""
EXAMPLES = [
    {
        "scenario": "Found a pet",
        "user": f"I found a {pet}.",
        "assistant": f"Keep the {pet} warm. Then call the shelter.",
    }
    for pet in PETS
]


async def notes_of(tmp_path: Path, cues: list[str]) -> tuple[str, str]:
    """What is noted at the start and at the end."""
    traits = [{"name": "kind", "is": "Kind", "cues": cues}]
    loaded = loaded_spec(traits=traits, slots={"pet": [*PETS, *OTHERS]}, examples=EXAMPLES)
    workspace = Workspace.open(tmp_path, loaded.spec.slug)
    params = GenerateParams(
        spec_path="tester.yaml", workspace=str(tmp_path), settings=ModelSettings(), examples=4, max_attempts=1
    )
    try:
        events = [event async for event in generate(loaded, workspace, params, lambda: False)]
    finally:
        workspace.close()
    started, ended = events[0], events[-1]
    assert isinstance(started, GenerateStarted) and isinstance(ended, GenerateFinished)
    return started.note, ended.note


async def test_cues_that_the_examples_do_not_hold_are_named_at_the_start_and_at_the_end(tmp_path: Path) -> None:
    first, last = await notes_of(tmp_path, ["dear friend"])
    assert first.startswith("5 of 5 of the spec's own examples do not pass the judge: kind") and "`cues`" in first
    assert last == f"out of attempts: pets 0 of 4; {first}"


async def test_without_cues_the_examples_pass_and_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert await notes_of(tmp_path, []) == ("", "")
