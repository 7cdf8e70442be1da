"""What the store costs at 100,000 examples: inserts, decisions one and many, lists, the start of generating, an export,
and several processes at once.

    python -m tests.bench.store [--examples N] [--workspace DIR]

With ``--workspace`` the examples stay in DIR for the next run. CPU is of this process, and steadier than the wall where
cores are shared; a target holds of the wall on a machine of one's own. A frame is 16 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from studio.chatml import assistant, system, user
from studio.dataset import export_chatml, take_snapshot, training_data
from studio.dataset.formats import export_dataset
from studio.dataset.importing import import_file
from studio.dataset.preferences import preferences
from studio.generate import ExampleScored, GenerateParams, GenerateStarted, ModelAuthor, generate
from studio.spec import LoadedSpec
from studio.store import Example, Filter, Judgement, Workspace
from studio.store.recovery import check
from studio.triage import Triage, review_progress
from tests.generate.making import loaded_spec
from tests.generate.models import FakeJudge, FakeModel, pleased, unlike
from tests.store.making import example, judgement

AGAIN, AT_ONCE = 20, 1000
MANY = 10_000
EACH = 2_000
"""Decisions of each of two processes."""
DECIDER = """
import sys
from pathlib import Path
from studio.store import Workspace
from studio.triage import Triage

workspace = Workspace.open(Path(sys.argv[1]), "bench")
triage, first, count = Triage(workspace), int(sys.argv[2]), int(sys.argv[3])
for number in range(first, first + count):
    triage.reject(f"e{number}", "tone")
"""
GENERATOR = """
import sys
from pathlib import Path
from studio.store import Workspace
from tests.store.making import example, judgement

store, number = Workspace.open(Path(sys.argv[1]), "bench").examples, 0
print("began", flush=True)
while sys.stdin.readable() and number < 100_000:
    store.add_example(example(f"{sys.argv[2]}-{number}"), judgement())
    number += 1
    print(number, flush=True)
"""


def texts(seed: int) -> Iterator[tuple[str, str, str]]:
    rng = random.Random(seed)
    words = [f"{letter}{rng.randrange(10**6)}" for letter in "abcdefghijklmnopqrstuvwxyz" for _ in range(120)]
    while True:
        said, reply, asked = (" ".join(rng.choices(words, k=length)) for length in (20, 40, 60))
        yield said + rng.choice(["", " milk", " report"]), reply, asked


def examples(first: int, last: int) -> list[tuple[Example, Judgement]]:
    """Three in four pass; seven categories and 41 scenarios."""
    rng, found = random.Random(first), []
    prompt = system("You write conversations. " * 200)
    for number, (said, reply, asked) in zip(range(first, last), texts(first), strict=False):
        made = example(f"e{number}", category=f"c{number % 7}", scenario=f"c{number % 7} s{number % 41}")
        made = made.model_copy(
            update={"messages": (user(said), assistant(reply)), "prompt": (prompt, user(asked)), "spec_hash": "spec-1"}
        )
        passed = rng.random() < 0.75
        found.append((made, judgement() if passed else judgement("failed", "score", f"banned:{number % 9}")))
    return found


@contextmanager
def timed(name: str, target: str = "", each: int = 1, unit: str = "s") -> Iterator[None]:
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    scale = (1e3 if unit == "ms" else 1) / each
    say(name, (time.perf_counter() - wall) * scale, (time.process_time() - cpu) * scale, unit, target)


def say(name: str, wall: float, cpu: float, unit: str, target: str) -> None:
    wanted = f"   target {target}" if target else ""
    sys.stdout.write(f"{name:44} {wall:8.3f} {unit}, CPU {cpu:8.3f} {unit}{wanted}\n")
    sys.stdout.flush()


def fill(workspace: Workspace, count: int) -> None:
    wall = cpu = 0.0
    for first in range(workspace.examples.newest(), count, AT_ONCE):
        made = examples(first, min(first + AT_ONCE, count))
        began = time.perf_counter(), time.process_time()
        for one, judged in made:
            workspace.examples.add_example(one, judged)
        last = (time.perf_counter() - began[0]) / len(made), (time.process_time() - began[1]) / len(made)
        wall, cpu = wall + last[0] * len(made), cpu + last[1] * len(made)
    if wall:
        say("an insert", wall / count * 1e3, cpu / count * 1e3, "ms", "CPU .5")
        say(f"  the last {AT_ONCE}", last[0] * 1e3, last[1] * 1e3, "ms", "")


def measure(name: str, act: Callable[[], object]) -> None:
    figures = []
    for times in (1, AGAIN):
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(times):
            act()
        figures += [(time.perf_counter() - wall) / times * 1e3, (time.process_time() - cpu) / times * 1e3]
    sys.stdout.write(f"{name:36} {figures[0]:8.2f} {figures[1]:8.2f} {figures[2]:10.3f} {figures[3]:10.3f}\n")


def lists(workspace: Workspace, count: int) -> None:
    sys.stdout.write(f"{'ms':36} {'first':>8} {'CPU':>8} {'again':>10} {'CPU':>10}\n")
    store, triage, accepted = workspace.examples, Triage(workspace), Filter(status="accepted")
    measure("a row in the middle", lambda: store.rows(offset=count // 2, limit=1))
    measure("a row of the accepted", lambda: store.rows(accepted, count // 3, 1))
    measure("the place of a row", lambda: store.index_of(f"e{count // 2}", accepted))
    measure("a screen of 40 rows", lambda: store.rows(accepted, count // 3, 40))
    measure("how many of a category are rejected", lambda: store.count(Filter(category="c3", status="rejected")))
    measure("how many are rejected for a reason", lambda: store.count(Filter(reason="score")))
    measure("how many have a word", lambda: store.count(Filter(text="milk")))
    measure("how many have a letter", lambda: store.count(Filter(text="m")))
    measure("the next with a word", lambda: store.next_from(count // 2, Filter(text="report")))
    measure("counts by category", store.counts)
    measure("counts by scenario", store.scenario_counts)
    measure("reasons", store.reasons)
    measure("has anything changed", store.data_version)
    measure("a decision, durable", lambda: triage.reject("e5", "tone"))
    measure("a decision, then the row", lambda: (triage.accept("e5"), store.rows(accepted, count // 3, 1)))
    measure("undo", triage.undo)
    measure("progress of the review", lambda: review_progress(workspace))


def many(workspace: Workspace, count: int) -> None:
    """A step of 10,000, with another process's writes in between."""
    triage, names = Triage(workspace), [f"e{number}" for number in range(min(MANY, count))]
    for besides in (False, True):
        other = Other(workspace.folder.parent, "m") if besides else None
        beside = ", another writes" if besides else ""
        with timed(f"{len(names)} rejected{beside}", "2 s"):
            triage.reject_all(names, "tone")
        with timed(f"{len(names)} undone{beside}", "2 s"):
            triage.undo()
        if other is not None:
            sys.stdout.write(f"  meanwhile it wrote {other.end()}\n")


class Other:
    """A process that adds examples until it is ended."""

    def __init__(self, root: Path, name: str) -> None:
        command = [sys.executable, "-c", GENERATOR, str(root), f"{name}{time.time_ns()}"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.written = 0
        assert self._process.stdout is not None and self._process.stdout.readline() == "began\n"
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for _ in self._process.stdout:
            self.written += 1

    def end(self) -> int:
        """How many it said it had written. Raises AssertionError where it ended by itself."""
        assert self._process.poll() is None, self._process.communicate()[1]
        self._process.kill()
        self._reader.join()
        self._process.wait()
        return self.written


def spec(count: int) -> LoadedSpec:
    """One that the examples fit, and that wants more."""
    scenarios: dict[str, list[str]] = {f"c{number}": [] for number in range(7)}
    for number in range(7 * 41):
        scenarios[f"c{number % 7}"].append(f"c{number % 7} s{number % 41}")
    parts = {name: {"target": count, "items": sorted(set(items))} for name, items in scenarios.items()}
    return loaded_spec(spec_hash="spec-1", scenarios=parts, success={"examples": 7 * count})


async def start(workspace: Workspace, count: int, name: str, target: str) -> None:
    """From the call to its first event, and to the first example that is written, screened, judged and stored."""
    loaded = spec(count)
    asked = GenerateParams(spec_path="", workspace=str(workspace.folder.parent), concurrency=1)
    wall, cpu, stopped = time.perf_counter(), time.process_time(), False
    author = ModelAuthor(FakeModel(unlike, "author"), loaded)
    events = generate(loaded, workspace, asked, lambda: stopped, author=author, judge=FakeJudge(loaded, pleased))
    async for event in events:
        spent = time.perf_counter() - wall, time.process_time() - cpu
        if isinstance(event, GenerateStarted):
            say(f"{name}: the first event", *spent, "s", target)
        if isinstance(event, ExampleScored):
            if not stopped:
                say(f"{name}: the first example", *spent, "s", "")
            stopped = True


def dataset(workspace: Workspace, loaded: LoadedSpec) -> None:
    """Snapshots and signals of all that is accepted, and a file of 5,000 new conversations."""
    with timed("a snapshot with a validation side"):
        taken = take_snapshot(workspace, loaded)
    sys.stdout.write(f"  {taken.train} train, {taken.validation} validation\n")
    with timed("the training data of it"):
        training_data(workspace, loaded)
    with timed("preferences"):
        found = preferences(workspace, loaded)
    sys.stdout.write(f"  {found.counts}\n")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("parquet", "hf"):
            with timed(f"export as {name}"):
                export_dataset(workspace, loaded, name, Path(folder) / name)
        with timed("origin: how many are imported", unit="ms"):
            workspace.examples.count(Filter(origin="imported"))
        path = Path(folder) / "talks.jsonl"
        with path.open("w") as file:
            for said, reply, _ in islice(texts(7), 5000):
                talk = [{"role": "user", "content": said}, {"role": "assistant", "content": reply}]
                file.write(json.dumps({"messages": talk}) + "\n")
        with timed("an import of 5,000", each=5000, unit="ms"):
            import_file(loaded, workspace, path, scenario="c0 s0")


def deciders(workspace: Workspace, count: int) -> None:
    store, each = workspace.examples, min(EACH, count // 2)
    before, names = store.newest(), tuple(f"e{number}" for number in range(2 * each))
    other = Other(workspace.folder.parent, "d")
    commands = [
        [sys.executable, "-c", DECIDER, str(workspace.folder.parent), str(first), str(each)] for first in (0, each)
    ]
    with timed(f"two processes decide {each} each, a third adds"):
        both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
        told = [process.communicate()[1] for process in both]
    written = other.end()
    lost = 2 * each - store.count(Filter(ids=names, reason="tone"))
    missing = written - (store.newest() - before)
    sys.stdout.write(f"  decisions lost {lost}, examples lost {max(0, missing)} of {written}   target 0, 0\n")
    sys.stdout.write(f"  said of a lock: {sum('locked' in one for one in told)}, failed: {sum(map(bool, told))}\n")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--examples", type=int, default=100_000)
    options.add_argument("--workspace", type=Path)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with timed("opening"):
            workspace = Workspace.open(asked.workspace or Path(folder), "bench")
        fill(workspace, asked.examples)
        size = sum(path.stat().st_size for path in workspace.folder.glob("examples.db*")) / 2**20
        sys.stdout.write(f"{workspace.examples.newest()} examples, {size:.0f} MB\n")
        lists(workspace, asked.examples)
        many(workspace, asked.examples)
        asyncio.run(start(workspace, asked.examples, "generating begins, nothing kept", ""))
        asyncio.run(start(workspace, asked.examples, "generating begins", "2 s"))
        with timed("export", "4 s"):
            export = export_chatml(workspace, spec(asked.examples))
        sys.stdout.write(f"  of {export.count}\n")
        dataset(workspace, spec(asked.examples))
        deciders(workspace, asked.examples)
        with timed("studio workspace check"):
            problems = check(workspace.folder).problems
        sys.stdout.write(f"  {problems or 'sound'}\n")
        workspace.close()


if __name__ == "__main__":
    main()
