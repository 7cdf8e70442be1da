"""A small persona, a workspace with examples of it, and ways to look at the window."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from studio.chatml import Messages, assistant, user
from studio.doctor import environment
from studio.judge import LEARNED
from studio.llm import ModelSettings
from studio.spec import LoadedSpec, load
from studio.store import Workspace
from studio.store.records import Example, Judgement, Neighbour, Person, TraitScore, Violation
from studio.tui import StudioApp

SPEC = """\
schema: 2
name: Harbour
purpose: Tells sailors what they ask about the harbour.
identity: The calm voice on channel twelve.
traits:
  - name: calm
    is: Stays level
    is_not: Alarmed
  - name: exact
    is: Gives numbers
vocabulary:
  prefer: [Steady as she goes]
  avoid: [no idea]
patterns:
  - {step: greet, how: Say hello}
boundaries:
  - {id: no_blame, never: Blames the crew}
examples:
  - {user: How deep is berth two?, assistant: Ahoy. Four metres at low water., scenario: Ask for depth}
scenarios:
  depths: {priority: high, target: 8, items: [Ask for depth, Ask for tide]}
  weather: {priority: low, target: 4, items: [Ask for wind]}
  unseen: {holdout: true, items: ["How deep is [berth nine]?"]}
success: {examples: 12}
deployment: {base_model: some/model}
"""
WHEN = datetime(2026, 11, 21, 12, tzinfo=UTC)
PERSON = Person(
    id="bank-1",
    source="bank",
    name="Ida",
    role="ferry mate",
    background="sails at night",
    chatting_style="terse",
    method="compose",
)


def write_spec(folder: Path, text: str = SPEC) -> Path:
    path = folder / "harbour.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def fill(root: Path, loaded: LoadedSpec, count: int, said: str = "") -> Workspace:
    """``count`` examples: every fifth one failed. ``said`` goes into every text of every example."""
    workspace = Workspace.open(root, loaded.spec.slug)
    workspace.examples.add_person(PERSON.model_copy(update={"background": f"sails at night {said}".strip()}))
    for number in range(count):
        workspace.examples.add_example(*made(number, loaded, said))
    return workspace


def made(number: int, loaded: LoadedSpec, said: str = "") -> tuple[Example, Judgement]:
    failed = number % 5 == 4
    category, scenario = ("weather", "Ask for wind") if number % 3 == 2 else ("depths", "Ask for depth")
    messages: Messages = (
        user(f"Question {number:03}, how deep is it? {said}".strip()),
        assistant(f"Answer {number:03}: four metres, steady as she goes. {said}".strip()),
    )
    example = Example(
        id=f"ex{number:05}",
        spec_hash=loaded.hash,
        category=category,
        scenario=scenario,
        person_id=PERSON.id,
        messages=messages,
        author=f"recorded author{said}",
        prompt=(user(f"Write one {said}"),),
        seed=number,
        job_id="job-1",
        neighbour=Neighbour(id="ex00000", similarity=0.4) if number else None,
        created=WHEN,
    )
    judgement = Judgement(
        judge=f"{LEARNED}{said}",
        spec_hash=loaded.hash,
        verdict="failed" if failed else "passed",
        traits={
            "calm": TraitScore(score=0 if failed else 2, rationale=f"level {said}", quote=f"four metres {said}"),
            "exact": TraitScore(score=1, rationale="one number"),
        },
        preferred=("Steady as she goes",),
        steps={"greet": not failed},
        violations=(Violation(kind="banned", name=f"no idea{said}", quote=f"no idea {said}"),) if failed else (),
        total=2.5 if failed else 7.5,
        reasons=(f"banned:no idea{said}", "score") if failed else (),
        at=WHEN,
    )
    return example, judgement


def opened(folder: Path, count: int = 0, said: str = "", text: str = SPEC) -> StudioApp:
    """The window on a fresh workspace below ``folder``."""
    path = write_spec(folder, text)
    if count:
        fill(folder / "ws", load(path), count, said).close()
    return window(path, folder / "ws")


def window(path: Path, root: Path, base: str | None = None) -> StudioApp:
    settings = ModelSettings()
    return StudioApp(path, root, settings, environment(settings, folder=root.parent), base)


async def until(pilot: Pilot[Any], condition: Callable[[], object], what: str = "") -> None:
    """Wait for a state of the window; fails after a minute, which a busy machine may need to start a process."""
    ends = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < ends, f"never came: {what}\n{text_of(pilot.app)}"
        await pilot.pause(0.02)


async def shows(pilot: Pilot[Any], *words: str) -> None:
    """Wait until all the words are on the screen."""
    await until(pilot, lambda: all(word in text_of(pilot.app) for word in words), f"{words}")


async def press(pilot: Pilot[Any], keys: Sequence[str], then: str) -> None:
    """Press keys and wait for a word."""
    await pilot.press(*keys)
    await shows(pilot, then)


def text_of(app: Any) -> str:
    """What is on the screen, as lines of text."""
    strips = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)


async def painted_in(pilot: Pilot[Any], seconds: float) -> int:
    """How many times the terminal is written to in so many seconds without a key."""
    painted: list[object] = []
    pilot.app._display = lambda *arguments: painted.append(arguments)  # type: ignore[method-assign]
    await pilot.pause(seconds)
    return len(painted)
