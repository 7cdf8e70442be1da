"""What a coverage table costs at 10,000 examples, and the collapse meter a reply.

python -m tests.bench.coverage [EXAMPLES]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from studio.generate import read_recordings
from studio.generate.collapse import CollapseMeter
from studio.generate.coverage_map import By, coverage_map
from studio.store import Person, Workspace
from studio.store.records import Example, Judgement, TraitScore
from tests.generate.making import taskmaster
from tests.tui.making import WHEN

AGAIN = 5


def best(work: Callable[[], object]) -> float:
    """Seconds of the quickest of some."""
    took = []
    for _ in range(AGAIN):
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return min(took)


def main(count: int) -> None:
    loaded = taskmaster()
    recorded = list(read_recordings(loaded))
    people = [Person(id=f"p{n}", source="bank", name="A", age=10 + n % 70, method="write") for n in range(500)]
    marks = {name: TraitScore(score=1, rationale="It shows in part. " * 6) for name in loaded.spec.trait_names}
    with tempfile.TemporaryDirectory() as folder, closing(Workspace.open(Path(folder), "bench")) as workspace:
        several = []
        for n in range(count):
            one, person = recorded[n % len(recorded)], people[n % len(people)]
            category = loaded.spec.category_of(one.scenario) or ""
            about = {"id": f"e{n}", "spec_hash": loaded.hash, "category": category, "scenario": one.scenario}
            example = Example(**about, person_id=person.id, messages=one.messages, author="a", created=WHEN)
            judgement = Judgement(judge="j", spec_hash=loaded.hash, verdict="passed", traits=marks, total=5, at=WHEN)
            several.append((example, judgement, person))
        workspace.examples.add_examples(several)
        kinds: tuple[By, ...] = ("trait", "person", "length")
        for by in kinds:
            table = coverage_map(loaded, workspace, by)
            took = best(lambda by=by: coverage_map(loaded, workspace, by))  # type: ignore[misc]
            print(
                f"{by:<8} {table.accepted:>7,} examples {len(table.rows)} x {len(table.columns)}: {took * 1000:.0f} ms"
            )
    meter, replies = CollapseMeter(loaded.spec.vocabulary.prefer), [one.messages for one in recorded]

    def added() -> None:
        for messages in replies:
            meter.add(messages)

    print(f"collapse {best(added) / len(replies) * 1e6:.0f} us a reply")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
