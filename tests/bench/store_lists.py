"""What a key costs in a store of 100,000 examples: lists, places in them, counts, a decision.

    python -m tests.bench.store_lists [--examples N]

"first" is the first look through a filter, "again" each one after it; CPU is of this process, and steadier than the
wall where cores are shared. A frame is 16 ms.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from studio.chatml import assistant, system, user
from studio.store import Filter, Workspace
from studio.triage import Triage, export_chatml, sample_ids, sample_progress
from tests.store.making import example, judgement

AGAIN = 20


def fill(workspace: Workspace, count: int) -> None:
    rng = random.Random(1)
    words = [f"{letter}{rng.randrange(10**6)}" for letter in "abcdefghijklmnopqrstuvwxyz" for _ in range(120)]

    def text(length: int) -> str:
        return " ".join(rng.choices(words, k=length)) + rng.choice(["", " milk", " report"])

    prompt = system("You write conversations. " * 200)
    for number in range(count):
        made = example(f"e{number}", category=f"c{number % 7}", scenario=f"c{number % 7} s{number % 41}")
        messages = (user(text(20)), assistant(text(40)))
        made = made.model_copy(update={"messages": messages, "prompt": (prompt, user(text(60)))})
        passed = rng.random() < 0.75
        workspace.examples.add_example(
            made, judgement() if passed else judgement("failed", "score", f"banned:{number % 9}")
        )


def measure(name: str, act: Callable[[], object]) -> None:
    figures = []
    for times in (1, AGAIN):
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(times):
            act()
        figures += [(time.perf_counter() - wall) / times * 1e3, (time.process_time() - cpu) / times * 1e3]
    sys.stdout.write(f"{name:36} {figures[0]:8.2f} {figures[1]:8.2f} {figures[2]:10.3f} {figures[3]:10.3f}\n")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--examples", type=int, default=100_000)
    count = options.parse_args().examples
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.open(Path(folder), "bench")
        store, triage = workspace.examples, Triage(workspace)
        measured = (time.perf_counter(), time.process_time())
        fill(workspace, count)
        wall, cpu = (time.perf_counter() - measured[0]), (time.process_time() - measured[1])
        size = sum(path.stat().st_size for path in workspace.folder.glob("examples.db*")) / 2**20
        sys.stdout.write(
            f"{count} examples: {wall / count * 1e3:.2f} ms each, CPU {cpu / count * 1e3:.2f}; {size:.0f} MB\n"
        )
        sys.stdout.write(f"{'ms':36} {'first':>8} {'CPU':>8} {'again':>10} {'CPU':>10}\n")
        accepted = Filter(status="accepted")
        measure("a row in the middle", lambda: store.rows(offset=count // 2, limit=1))
        measure("a row of the accepted", lambda: store.rows(accepted, count // 3, 1))
        measure("the place of a row", lambda: store.index_of(f"e{count // 2}", accepted))
        measure("a screen of 40 rows", lambda: store.rows(accepted, count // 3, 40))
        measure("a category's rejected", lambda: store.count(Filter(category="c3", status="rejected")))
        measure("rejected for a reason", lambda: store.count(Filter(reason="score")))
        measure("with a word", lambda: store.count(Filter(text="milk")))
        measure("with a letter", lambda: store.count(Filter(text="m")))
        measure("the next with a word", lambda: store.next_from(count // 2, Filter(text="report")))
        measure("counts by category", store.counts)
        measure("counts by scenario", store.scenario_counts)
        measure("reasons", store.reasons)
        measure("has anything changed", store.data_version)
        measure("a decision, durable", lambda: triage.reject("e5", "tone"))
        measure("a decision, then the row", lambda: (triage.accept("e5"), store.rows(accepted, count // 3, 1)))
        measure("undo", triage.undo)
        measure("the sample", lambda: sample_ids(workspace))
        measure("its progress", lambda: sample_progress(workspace))
        wall = time.perf_counter()
        export = export_chatml(workspace)
        sys.stdout.write(f"export of {export.count}: {time.perf_counter() - wall:.1f} s\n")
        workspace.close()


if __name__ == "__main__":
    main()
