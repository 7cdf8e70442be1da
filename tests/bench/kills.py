"""What kills and stops cost: a run of 600 examples, ended at 20 random moments, against a server that counts.

    python -m tests.bench.kills [--examples 600] [--moments 20] [--faults]

The job's process gets SIGKILL (then, in a second run, a stop) and is started again, as by a user. The server is a
process of its own on loopback and writes down each request that it answered. Told are the answers that it gave twice to
one and the same request ("paid twice"), examples lost or doubled, and how it ended. With ``--faults`` the server fails
besides: 5 % 500s, 5 % malformed, 2 % cut, 1 % hang, an outage, 30 s of 429s, and a ``retry-after`` in the middle.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from studio.generate import GenerateParams
from studio.jobs import Job, resume, start
from studio.llm import ModelSettings
from studio.store import Workspace
from tests.llm.fake_server import FakeServer
from tests.llm.faults import Fault, Hang, Raw, Status, Truncate

ENTRY = "studio.generate.job:main"
WORDS = Path(__file__).parents[2] / "specs" / "taskmaster.recorded.jsonl"
SPEC = """
schema: 2
name: Counter
purpose: Helps with pets.
traits: [{name: kind, is: Kind}]
scenarios:
  pets: {target: TARGET, items: [Found a pet, Lost a pet, A pet is ill, Feeding a pet]}
success: {examples: EXAMPLES}
"""


class Counting:
    """Answers as author and as judge, each conversation of other words; every answer is a line of ``told``."""

    def __init__(self, told: Path) -> None:
        self._told = told.open("a", encoding="utf-8")
        self._words = sorted({word for line in WORDS.read_text(encoding="utf-8").split("\n") for word in line.split()})
        self._words = [word for word in self._words if word.isalpha()]

    def __call__(self, body: dict[str, Any]) -> dict[str, Any]:
        key = hashlib.sha256(json.dumps([body["messages"], body.get("seed")]).encode()).hexdigest()
        self._told.write(f"{body['model']} {key}\n")
        self._told.flush()
        if body["model"] == "judge":
            mark = {"rationale": "Kind.", "quote": "", "score": 2}
            return {"shows_scenario": True, "steps": {}, "traits": {"kind": mark}}
        draw = random.Random(key)
        said = {role: " ".join(draw.choices(self._words, k=count)) for role, count in (("user", 20), ("assistant", 40))}
        return {"messages": [{"role": role, "content": text} for role, text in said.items()]}


def faults(draw: random.Random) -> Iterator[Fault | None]:
    """What goes wrong with each request: some all the time, and an outage, a spell of 429s and a long wait in a row."""
    kinds = ((0.05, Status(500)), (0.1, Raw(b"{")), (0.12, Truncate(9)), (0.13, Hang()))
    for spell, fault in ((OUTAGE_S, Status(502)), (LIMITED_S, Status(429)), (0.0, Status(429, headers=LONG_WAIT))):
        for _ in range(BETWEEN):
            chance = draw.random()
            yield next((kind for below, kind in kinds if chance < below), None)
        ends = time.monotonic() + spell
        yield fault
        while time.monotonic() < ends:
            yield fault
    while True:
        chance = draw.random()
        yield next((kind for below, kind in kinds if chance < below), None)


BETWEEN, OUTAGE_S, LIMITED_S, LONG_WAIT = 300, 180.0, 30.0, {"retry-after": "600"}
"""Requests from one spell to the next, and the seconds that each lasts."""


async def serve(told: Path, failing: bool) -> None:
    draw = random.Random(0)
    wrong = faults(draw) if failing else ()
    async with FakeServer(Counting(told), faults=wrong, latency=lambda: random.uniform(0.2, 0.4)) as server:
        sys.stdout.write(server.url + "\n")
        sys.stdout.flush()
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def run(how: str, examples: int, moments: int, failing: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spec = folder / "counter.yaml"
        spec.write_text(SPEC.replace("TARGET", str(examples)).replace("EXAMPLES", str(examples)))
        command = [sys.executable, "-m", "tests.bench.kills", "--serve", str(folder / "told"), *["--faults"] * failing]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            settings = ModelSettings(endpoint=url, model="author", judge_model="judge", read_timeout=20)
            params = GenerateParams(spec_path=str(spec), workspace=str(folder), settings=settings)
            workspace = Workspace.open(folder, "counter")
            began = time.monotonic()
            job = start(workspace.jobs_dir, "generate", ENTRY, params)
            ended = interrupted(job, how, moments) if how != "alone" else 0
            view = job.wait()
            wall = time.monotonic() - began
            report(how, ended, folder, workspace, view.state, wall)
            workspace.close()
            server.stdin.close()


def interrupted(job: Job, how: str, moments: int) -> int:
    """How often it could be ended before it was through."""
    draw, ended = random.Random(how), 0
    while ended < moments:
        time.sleep(draw.uniform(0.1, 3.0))
        if not job.alive:
            break
        job.kill() if how == "kill" else job.stop()
        if job.wait(60).state == "finished":
            break
        ended += 1
        resume(job)
    return ended


def report(how: str, ended: int, folder: Path, workspace: Workspace, state: str, wall: float) -> None:
    lines = (folder / "told").read_text().splitlines()
    twice = sum(count - 1 for count in Counter(lines).values())
    rows = list(workspace.examples.each())
    texts = Counter(row.example.messages for row in rows)
    accepted = sum(row.status == "accepted" for row in rows)
    sys.stdout.write(
        f"{how:6} {ended:3} times  {state:8} {wall:6.1f} s  answers {len(lines)}, paid twice {twice}  "
        f"examples {len(rows)}, accepted {accepted}, doubled {sum(count - 1 for count in texts.values())}\n"
    )
    sys.stdout.flush()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options.add_argument("--faults", action="store_true")
    options.add_argument("--examples", type=int, default=600)
    options.add_argument("--moments", type=int, default=20)
    chosen = options.parse_args()
    if chosen.serve:
        asyncio.run(serve(chosen.serve, chosen.faults))
        return
    for how in ("alone",) if chosen.faults else ("kill", "stop"):
        run(how, chosen.examples, chosen.moments, chosen.faults)


if __name__ == "__main__":
    main()
