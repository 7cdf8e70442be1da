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


def faults(draw: random.Random, began: float) -> Iterator[Fault | None]:
    """What goes wrong with each request, by the time since ``began``: an outage, a spell of 429s, a long wait."""
    asked_to_wait = False
    while True:
        at = time.monotonic() - began
        chance = draw.random()
        if 10 < at < 10 + OUTAGE_S:
            yield Status(502)
        elif 10 + OUTAGE_S + 10 < at < 10 + OUTAGE_S + 40:
            yield Status(429)
        elif at > 10 + OUTAGE_S + 50 and not asked_to_wait:
            asked_to_wait = True
            yield Status(429, headers={"retry-after": str(WAIT_S)})
        elif chance < 0.13:
            yield (
                Status(500)
                if chance < 0.05
                else Raw(b"{")
                if chance < 0.1
                else Truncate(9)
                if chance < 0.12
                else Hang()
            )
        else:
            yield None


OUTAGE_S, WAIT_S = 180, 600


async def serve(told: Path, failing: bool) -> None:
    draw = random.Random(0)
    wrong = faults(draw, time.monotonic()) if failing else ()
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
