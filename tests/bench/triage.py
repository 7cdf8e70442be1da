"""What triage costs at 10,000 and 100,000 examples: each order and filter, opened anew and followed, the counts of the
filter dialog, marking all, deciding on all of it as one step, undo, the sample review, and what is alike.

    python -m tests.bench.triage [--examples N ...] [--like]

Milliseconds of the wall; the first look at a list builds it, the second follows one decision. ``--like`` embeds every
text, 10 ms of a core each, unless the user's cache has it.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from studio.chatml import assistant, user
from studio.store import Filter, Judgement, TraitScore, Violation, Workspace
from studio.store.lists import Sort
from studio.triage import SampleReview, Triage
from studio.triage.similar import SimilarExamples
from tests.generate.making import loaded_spec
from tests.store.making import NOW, decision, example

SORTS: tuple[Sort, ...] = ("arrival", "newest", "unsure", "against", "gap")
FILTERS = {
    "status": Filter(status="rejected"),
    "category": Filter(category="c3"),
    "scenario": Filter(scenario="c3 s3"),
    "person": Filter(person_id="p7"),
    "mark of a trait": Filter(marks=(("calm", 0, 1),)),
    "judge": Filter(judge="judge b"),
    "reason": Filter(reason="banned:3"),
    "origin": Filter(origin="chat"),
    "run": Filter(job_id="job-1"),
    "length": Filter(min_words=30, max_words=40),
    "edited": Filter(edited=True),
    "unscored": Filter(unscored=True),
    "flagged": Filter(flagged=True),
    "words": Filter(text="w17"),
    "five at once": Filter(status="accepted", category="c2", marks=(("calm", 1, 2),), judge="judge a", max_words=60),
}
TRAITS = ("calm", "exact", "warm", "brief", "kind")


def fill(workspace: Workspace, count: int) -> None:
    """Four in five pass; seven categories, 41 scenarios, five traits, three origins."""
    rng = random.Random(1)
    with workspace.examples.database.writing() as connection:
        from studio.store import judgements, rows

        for number in range(count):
            passed = rng.random() < 0.8
            reply = " ".join(f"w{rng.randrange(5000)}" for _ in range(rng.randrange(10, 120)))
            made = example(
                f"e{number}", category=f"c{number % 7}", scenario=f"c{number % 7} s{number % 41}"
            ).model_copy(
                update={
                    "person_id": f"p{number % 500}",
                    "origin": rng.choice(["generated", "generated", "hand", "chat"]),
                    "job_id": f"job-{number % 3}",
                    "messages": (user(f"Question {number} w{rng.randrange(5000)}"), assistant(reply)),
                    "spec_hash": "0" * 64,
                }
            )
            judged = Judgement(
                judge=rng.choice(["judge a", "judge b"]),
                spec_hash="0" * 64,
                verdict="passed" if passed else "failed",
                traits={name: TraitScore(score=rng.choice([0, 1, 2])) for name in TRAITS},
                total=rng.uniform(0, 10),
                violations=() if passed else (Violation(kind="banned", name="a"),),
                reasons=() if passed else (f"banned:{number % 9}",),
                at=NOW,
            )
            judgements.stand_new(connection, rows.insert(connection, made), made, judged if number % 20 else None)


def timed(name: str, act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    took = (time.perf_counter() - began) * 1e3
    sys.stdout.write(f"  {name:32} {took:9.1f} ms\n")
    sys.stdout.flush()
    return took


def look(workspace: Workspace, wanted: Filter) -> Callable[[], object]:
    store = workspace.examples
    return lambda: (store.count(wanted), store.rows(wanted, 0, 50), store.list_ids(wanted, 0, 1))


def measure(count: int, like: bool) -> None:
    sys.stdout.write(f"{count:,} examples\n")
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.open(Path(folder), "bench")
        timed("fill", lambda: fill(workspace, count))
        store, triage = workspace.examples, Triage(workspace)
        for sort in SORTS:
            wanted = Filter(sort=sort)
            timed(f"sort by {sort}", look(workspace, wanted))
            store.decide(decision("e1", "accept"))
            timed("  after a decision", look(workspace, wanted))
        for name, wanted in FILTERS.items():
            timed(f"filter by {name}", look(workspace, wanted))
        timed("counts of the filter dialog", lambda: store.facets(Filter(), TRAITS))
        timed("  of a filter", lambda: store.facets(Filter(category="c3"), TRAITS))
        ids = store.list_ids(Filter())[:10_000]
        timed("ids of all, to mark them", lambda: store.list_ids(Filter(status="accepted", sort="unsure")))
        timed(f"reject {len(ids):,}", lambda: triage.reject_all(ids, "tone"))
        timed("undo it, as one step", triage.undo)
        timed("draw the sample", lambda: SampleReview(workspace, loaded_spec()))
        review = SampleReview(workspace, loaded_spec())
        row = review.next_item()
        if row is not None:
            timed("keep a review", lambda: review.answer(row, ["generic"]))
        timed("its status", review.status)
        if like:
            similar = SimilarExamples(store)
            timed("alike, the first search", lambda: similar.like("e5"))
            timed("alike, the next", lambda: similar.like("e6"))
        workspace.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--like", action="store_true")
    given = parser.parse_args()
    for count in given.examples:
        measure(count, given.like)


if __name__ == "__main__":
    main()
