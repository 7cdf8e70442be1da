"""De-duplication of a million people on Daft: wall, CPU, memory, what it finds of what was planted, and the ids' hash.

    python -m tests.bench.dedup_million [--people N] [--ray local] [--strict] [--folder DIR]

Nine tenths are composed. The others are planted, each after its original: the same in other case and punctuation, with
a word replaced or two, or with so many replaced that it is just no duplicate. Recall is the share of planted duplicates
that go whose original stays; precision the share of removals that share as many of their words with their twin, by a
comparison of the texts themselves. The shell's command is measured, with reading, writing, and all that it starts.

A million (314 MB), two cores shared at a load of 4 to 8, November 2026, daft 0.7.26, ray 2.59.0: native 73 to 75 s CPU,
167 to 221 s wall, 1790 MiB; local Ray 93 s CPU, 154 s wall, 2083 MiB. Both propose 585,522 pairs, remove 73,512, ids
65a7318cbf9097b3, recall 73,512 of 73,513, precision 73,512 of 73,512. ``--strict`` proposes 25 million pairs among
60,000 and is not done with them in four minutes: it is for tens of thousands.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from studio.bank.compose import people
from studio.bank.person import to_spb
from studio.bank.quality import essence
from studio.dedup import ALIKE, STRICT, shingles
from studio.store.records import Person

PLANTED = 10
"""One of so many is planted."""
BEHIND = 5000
"""So many records behind its original at least."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--ray")
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    asked = parser.parse_args()
    threshold = STRICT if asked.strict else ALIKE
    path, truth = asked.folder / f"people-{asked.people}.jsonl", asked.folder / f"people-{asked.people}.truth.json"
    if not truth.exists():
        make(path, truth, asked.people)
    kept, gone = asked.folder / "kept.jsonl", asked.folder / "gone.jsonl"
    options = [*(["--ray", asked.ray] if asked.ray else []), *(["--strict"] if asked.strict else [])]
    words = ["bank", "dedup", str(path), "--engine", "daft", "--out", str(kept), "--removed", str(gone), "--json"]
    print(measured([sys.executable, "-m", "studio.cli", *words, *options]))
    removals = [json.loads(line) for line in gone.open(encoding="utf-8")]
    pairs = [(int(one["id"]) - 1, int(one["twin"]) - 1) for one in removals]
    hashed = hashlib.sha256(json.dumps(pairs).encode()).hexdigest()
    texts = [essence(Person(id="x", source="bank", **json.loads(line))) for line in path.open(encoding="utf-8")]
    away = {who for who, _ in pairs}
    planted = [
        (who, original)
        for who, original in json.loads(truth.read_text())
        if original not in away and alike(texts[who], texts[original]) >= threshold
    ]
    found = sum(who in away for who, _ in planted)
    right = sum(alike(texts[who], texts[twin]) >= threshold for who, twin in pairs)
    print(f"{len(pairs)} go, ids {hashed[:16]}; recall {found}/{len(planted)}, precision {right}/{len(pairs)}")


def alike(one: str, other: str) -> float:
    left, right = shingles(one), shingles(other)
    return len(left & right) / len(left | right)


def make(path: Path, truth: Path, count: int) -> None:
    """The people, and the numbers of who was planted and their originals."""
    draw = random.Random("planted")
    recent: list[tuple[int, Person]] = []
    pairs: list[tuple[int, int]] = []
    with path.open("w", encoding="utf-8") as file:
        composed = people(count, seed=11)
        for number in range(count):
            if number > BEHIND and draw.random() < 1 / PLANTED:
                original, whom = recent[draw.randrange(len(recent) // 2)]
                person = varied(whom, draw)
                pairs.append((number, original))
            else:
                person = next(composed)
                recent.append((number, person))
                recent = recent[-4 * BEHIND :] if len(recent) > 8 * BEHIND else recent
            file.write(json.dumps(to_spb(person), ensure_ascii=False) + "\n")
    truth.write_text(json.dumps(pairs))


def varied(person: Person, draw: random.Random) -> Person:
    words = person.background.split()
    changed = draw.choice((0, 0, 1, 1, 2, 6))
    for place in draw.sample(range(len(words)), min(changed, len(words))):
        words[place] = f"word{draw.randrange(10**6)}"
    said = " ".join(words)
    return person.model_copy(update={"name": f"{person.name}son", "background": said.upper() if changed == 0 else said})


def measured(command: list[str]) -> str:
    """Wall time, CPU and the highest memory (PSS) of a command and all it starts, sampled."""
    began, cpu, most = time.monotonic(), dict[int, float](), 0
    process = psutil.Popen(command, stdout=subprocess.PIPE)
    while process.poll() is None:
        held = 0
        for one in [process, *process.children(recursive=True)]:
            try:
                times = one.cpu_times()
                cpu[one.pid] = times.user + times.system
                held += one.memory_full_info().pss
            except psutil.Error:
                continue
        most = max(most, held)
        time.sleep(0.3)
    said = (process.stdout.read() if process.stdout else b"").decode()
    if process.returncode:
        raise SystemExit(said)
    wall = time.monotonic() - began
    return f"{wall:.1f} s wall, {sum(cpu.values()):.0f} s CPU, {most / 2**20:.0f} MiB\n{said.strip()}"


if __name__ == "__main__":
    main()
