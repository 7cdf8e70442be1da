"""Few-shot examples: those of the spec, and what people accepted since, the least used first.

Examples that a person decided to keep show the voice better than the few that a spec begins with, and taking each in
turn keeps what is written from gathering around one of them. What was shown for an attempt is kept before its author is
asked, so that the same attempt asks the same words in every run, and finds its answer on record.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from contextlib import suppress
from random import Random

from pydantic import ValidationError

from studio.chatml import Frozen
from studio.generate.plan import Attempt
from studio.spec import LoadedSpec, Spec, SpecExample
from studio.store import Filter, Workspace

KIND = "shots"
_SHOTS_OF_SCENARIO, _SHOTS = 2, 4
_ACCEPTED = 2
"""Of these at most: the spec's own examples stay what the voice is learned from."""
_POOL = 400
"""Accepted examples of a scenario's category that are chosen from at most, the newest."""


class Shown(Frozen):
    """Accepted examples that were shown for one attempt. A document of the kind ``shots``, by the attempt's example."""

    ids: tuple[str, ...]
    examples: tuple[SpecExample, ...]


class AcceptedShots:
    """Examples of this spec that a person accepted, or edited, handed out by turns. Any number of threads may ask."""

    def __init__(self, loaded: LoadedSpec, workspace: Workspace) -> None:
        self._loaded, self._workspace = loaded, workspace
        self._lock = threading.Lock()
        self._pool: dict[str, list[tuple[str, SpecExample]]] | None = None
        self._used: Counter[str] = Counter()

    def of(self, attempt: Attempt) -> tuple[SpecExample, ...]:
        """Those for one attempt: of its scenario first, then of its category, of either the least used first. The same
        as before where it was asked before; none where nobody decided yet."""
        with self._lock:
            pool = self._read()
            kept = self._workspace.documents.get(KIND, attempt.example_id, Shown)
            if kept is not None:
                return kept.examples
            chosen = sorted(
                (one for one in pool.get(attempt.category, ()) if one[0] != attempt.example_id),
                key=lambda one: (one[1].scenario != attempt.scenario, self._used[one[0]], _turn(attempt, one[0])),
            )[:_ACCEPTED]
            if not chosen:
                return ()
            ids = tuple(name for name, _ in chosen)
            shown = Shown(ids=ids, examples=tuple(one for _, one in chosen))
            self._workspace.documents.put(KIND, attempt.example_id, shown)
            self._used.update(ids)
            return shown.examples

    def _read(self) -> dict[str, list[tuple[str, SpecExample]]]:
        """By category, as people left them when this run began."""
        if self._pool is None:
            found: dict[str, list[tuple[str, SpecExample]]] = {}
            wanted = Filter(status="accepted", decided=True, spec_hash=self._loaded.hash)
            for row in self._workspace.examples.each(wanted):
                one = row.example
                with suppress(ValidationError):  # what was imported may take no turns
                    example = SpecExample(scenario=one.scenario or None, messages=row.messages)
                    found.setdefault(one.category, []).append((one.id, example))
            self._pool = {category: some[-_POOL:] for category, some in found.items()}
            if self._pool:
                for shown in self._workspace.documents.readable(KIND, Shown):
                    self._used.update(shown.ids)
        return self._pool


def _turn(attempt: Attempt, example_id: str) -> str:
    """Decides among those used as often."""
    return hashlib.sha256(f"{attempt.seed} {example_id}".encode()).hexdigest()


def shots(
    spec: Spec, category: str, scenario: str, random: Random, accepted: tuple[SpecExample, ...] = ()
) -> tuple[SpecExample, ...]:
    """Examples to learn from: hand-written ones of the scenario, then of its category, then ``accepted`` ones, then any
    others of the spec."""
    items = spec.scenarios[category].items if category in spec.scenarios else ()
    own = [example for example in spec.examples if example.scenario == scenario]
    near = [example for example in spec.examples if example.scenario in items and example.scenario != scenario]
    far = [example for example in spec.examples if example.scenario is None or example.scenario not in items]
    chosen = random.sample(own, min(_SHOTS_OF_SCENARIO, len(own)))
    chosen += random.sample(near, min(_SHOTS - 1 - len(chosen), len(near)))
    chosen += accepted
    return tuple(chosen + random.sample(far, min(max(_SHOTS - len(chosen), 0), len(far))))
