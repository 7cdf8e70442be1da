"""Examples by hand: conversations that a person wrote or imports, screened as any author's are.

They are stored as pending: judged when generating begins the next time, or decided by a person. An example's id is a
digest of what is said, so that the same conversation is the same example however often it is added.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from studio.chatml import Frozen
from studio.errors import UserError
from studio.generate.plan import open_scenarios
from studio.generate.recorded import Recording, parse_recordings
from studio.generate.screening import Screening, rejection
from studio.spec import LoadedSpec, Spec
from studio.store import Example, Workspace
from studio.store.records import Origin

BY_HAND = "by hand"
Outcome = Literal["added", "known", "duplicate", "held_out"]
_TURN = re.compile(r"(user|assistant|scenario):[ \t]?(.*)", re.IGNORECASE)


class Added(Frozen):
    """What became of one conversation: ``known`` was there already, a ``duplicate`` or ``held_out`` one is rejected.

    ``says`` is what it says again: another example's id, or the probe.
    """

    line: int
    example_id: str
    scenario: str
    outcome: Outcome
    says: str = ""


def read_examples(text: str, file: str, spec: Spec, scenario: str = "") -> tuple[Recording, ...]:
    """JSON lines of ``{"scenario", "messages"}``, of which ``scenario`` stands in for what a line does not name.

    Keys that are not ours and a system turn at the beginning are passed over. Raises
    :class:`studio.spec.SpecError` with every mistake and its line; nothing is half-read.
    """
    if scenario and scenario not in (items := [item for _, item in open_scenarios(spec)]):
        raise UserError(f"no such scenario: {scenario}", where="--scenario", remedy=f"one of: {'; '.join(items)}")
    return parse_recordings(text, file, spec, scenario=scenario, foreign=True)


def read_draft(text: str, file: str, spec: Spec, scenario: str = "") -> Recording:
    """One conversation as :func:`template` has it, or as JSON: an object with ``messages``, or these alone.

    Raises UserError where it is none.
    """
    if text.lstrip()[:1] in ("{", "["):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UserError(f"expected JSON: {error}", where=file) from None
    else:
        value = _turns(text)
    line = json.dumps({"messages": value} if isinstance(value, list) else value)
    try:
        return read_examples(line, file, spec, scenario)[0]
    except UserError as error:
        raise UserError(error.message, where=file, remedy=error.remedy) from None


def template(spec: Spec, scenario: str = "") -> str:
    """A page to write one conversation on. Its lines that begin with # are left out when it is read."""
    listed = "\n".join(f"#   {item}" for _, item in open_scenarios(spec))
    return (
        f"# One conversation for {spec.name}. More turns may follow: user: and assistant: begin one each.\n"
        f"# Lines that begin with # are left out. The scenario is one of:\n{listed}\n"
        f"scenario: {scenario}\nuser: \nassistant: \n"
    )


def add_by_hand(
    loaded: LoadedSpec,
    workspace: Workspace,
    conversations: Sequence[Recording],
    *,
    write: bool = True,
    origin: Origin = "hand",
    author: str = BY_HAND,
) -> tuple[Added, ...]:
    """Store conversations as examples, in their order; without ``write`` only tell what would become of each.
    ``origin`` and ``author`` are where they come from, such as a chat with a run.

    Killed in the middle and called again it adds the rest.
    """
    store = workspace.examples
    known = {name for _, name in store.ids()}
    screening = Screening(store, loaded.spec)
    added = []
    for one in conversations:
        outcome: Outcome = "known"
        says = ""
        if one.example_id not in known:
            found = screening.screen(one.example_id, one.messages)
            outcome, says = found.reason or "added", found.name
            example = Example(
                id=one.example_id,
                spec_hash=loaded.hash,
                category=one.category,
                scenario=one.scenario,
                person_id=one.person.id,
                messages=one.messages,
                origin=origin,
                author=author,
                neighbour=found.neighbour,
                created=datetime.now(UTC),
            )
            if write:
                store.add_person(one.person)
                store.add_example(example, rejection(loaded, one.messages, found) if found.reason else None)
        told = Added(line=one.number, example_id=one.example_id, scenario=one.scenario, outcome=outcome, says=says)
        added.append(told)
    return tuple(added)


def _turns(text: str) -> dict[str, object]:
    """What is written on a page: each ``user:`` or ``assistant:`` at the beginning of a line begins a turn."""
    found: dict[str, object] = {}
    turns: list[dict[str, str]] = []
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        begins = _TURN.match(line)
        if begins and begins[1].lower() == "scenario" and not turns:
            found["scenario"] = begins[2]
        elif begins and begins[1].lower() != "scenario":
            turns.append({"role": begins[1].lower(), "content": begins[2]})
        elif turns:
            turns[-1]["content"] += f"\n{line}"
    return {**found, "messages": turns}
