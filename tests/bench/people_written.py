"""People written by a model with kills in between: nobody lost, nobody paid for twice, nobody like another.

    python -m tests.bench.people_written --people 5000 --kills 5
    python -m tests.bench.people_written --dedup 100000 [--hashed]

The server is a process of its own that takes 200 to 400 ms a call, repeats itself now and then, and counts each answer
that it gives. The job is killed with SIGKILL at evenly spread moments and started again by the same request.

``--dedup`` measures the two stages over made-up people with a tenth of them there twice under another name; with
``--hashed`` by vectors that cost next to nothing in place of the embedding model. CPU seconds are steadier than wall
times where cores are shared.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from studio.bank.file_dedup import dedup_people
from studio.bank.journal import Journal
from studio.bank.model_job import PeopleParams, WriteTask, journal_path
from studio.bank.quality import essence
from studio.dedup import shingles
from studio.embed import CachedEmbedder, Embedder, disk_embedder
from studio.jobs import start
from studio.llm import ModelSettings
from studio.spec import load
from studio.store import Workspace
from tests.bank.making import WordVectors, answer, person
from tests.llm.fake_server import FakeServer

REPEATED = 0.1
"""Answers in which the server says one of the same fifty people again, under the name and work that it was given."""
SPEC = Path(__file__).parents[2] / "specs" / "taskmaster.yaml"


async def serve(record: Path) -> None:
    with record.open("a", buffering=1) as log:

        async def answered(body: dict[str, Any]) -> dict[str, Any]:
            await asyncio.sleep(random.uniform(0.2, 0.4))
            said = body["messages"][1]["content"].split(".", 1)[0]
            log.write(f"{said} {body.get('seed')}\n")
            found = answer(body)
            if random.random() < REPEATED:
                again = person(random.randrange(50)).model_dump(mode="json")
                found |= {name: again[name] for name in ("traits", "background", "chatting_style")}
            return found

        async with FakeServer(answered) as server:
            sys.stdout.write(server.url + "\n")
            sys.stdout.flush()
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def write(count: int, kills: int, concurrency: int, folder: Path) -> dict[str, Any]:
    record, loaded = folder / "answered.txt", load(SPEC)
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.people_written", "--serve", str(record)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    settings = ModelSettings(endpoint=server.stdout.readline().strip(), model="fake", max_concurrent=concurrency)
    workspace = Workspace.open(folder, loaded.spec.slug)
    params = PeopleParams(
        spec_path=str(SPEC),
        workspace=str(folder),
        task=WriteTask(count=count),
        settings=settings,
        language=None,
        concurrency=concurrency,
    )
    ends: list[str] = []
    began, cpu = time.perf_counter(), 0.0
    try:
        for turn in range(kills + 1):
            job = start(workspace.jobs_dir, "bank", "studio.bank.model_job:main", params)
            goal = count * (turn + 1) // (kills + 1)
            while (view := job.view()).state in ("starting", "running"):
                cpu_now = _cpu(view.pid)
                if turn < kills and len(workspace.examples.people()) >= goal and view.pid is not None:
                    with suppress(ProcessLookupError):  # killed a look ago
                        os.kill(view.pid, signal.SIGKILL)
                time.sleep(0.5)
            cpu += cpu_now
            ends.append(view.state)
    finally:
        server.terminate()
        server.wait()
    seconds = time.perf_counter() - began
    found = _audit(workspace, journal_path(workspace.folder, params), record)
    workspace.close()
    return {"people": count, "ends": ends, "seconds": round(seconds, 1), "cpu_s": round(cpu, 1)} | found


def _audit(workspace: Workspace, path: Path, record: Path) -> dict[str, Any]:
    people, calls = workspace.examples.people(), workspace.examples.spent().calls
    journal, answered = Journal(path), record.read_text().splitlines()
    texts = [essence(one) for one in people]
    vectors = disk_embedder().embed(texts)
    products = vectors @ vectors.T
    for number in range(len(products)):
        products[number, number] = -1
    sets = [shingles(text) for text in texts]
    most_words = max(
        len(sets[a] & sets[b]) / len(sets[a] | sets[b]) for a in range(len(sets)) for b in products[a].argsort()[-20:]
    )
    reasons: dict[str, int] = {}
    for removal in journal.removals:
        reasons[removal.reason] = reasons.get(removal.reason, 0) + 1
    journal.close()
    return {
        "stored": len(people),
        "attempts": len(journal.attempts),
        "unsettled": len(set(journal.attempts) - set(journal.settled)),
        "removed": reasons,
        "answers_sent": len(answered),
        "answers_on_record": calls,
        "answered_twice": len(answered) - len(set(answered)),
        "most_alike": {"words": round(most_words, 3), "meaning": round(float(products.max()), 3)},
    }


def _cpu(pid: int | None) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def dedup(count: int, *, hashed: bool) -> dict[str, Any]:
    people = [person(number) for number in range(count)]
    for number in range(9, count, 10):
        people[number] = person(number - 5, id=f"again{number}", name=f"Other Name{number}")
    embedder: Embedder = CachedEmbedder(WordVectors(), count) if hashed else disk_embedder()
    began, cpu = time.perf_counter(), time.process_time()
    embedder.embed([essence(one) for one in people])
    embedded, embedded_cpu = time.perf_counter() - began, time.process_time() - cpu
    began, cpu = time.perf_counter(), time.process_time()
    _, found = dedup_people(people, embedder)
    return {
        "people": count,
        "embedding_s": round(embedded, 1),
        "embedding_cpu_s": round(embedded_cpu, 1),
        "two_stages_s": round(time.perf_counter() - began, 1),
        "two_stages_cpu_s": round(time.process_time() - cpu, 1),
        "removed": found.reasons,
        "rss_mb": psutil.Process().memory_info().rss >> 20,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--dedup", type=int)
    parser.add_argument("--hashed", action="store_true")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve is not None:
        asyncio.run(serve(asked.serve))
    elif asked.dedup is not None:
        print(json.dumps(dedup(asked.dedup, hashed=asked.hashed)))
    else:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(write(asked.people, asked.kills, asked.concurrency, Path(folder))))


if __name__ == "__main__":
    main()
