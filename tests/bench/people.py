"""What people cost: composing, writing and reading files in each format, an import, and who asks.

    python -m tests.bench.people [--people N]

CPU is of this process on one core; diversity is of the first 800 and 5,000 backgrounds, whole, in words of ``\\w+``,
lower case. Figures of 100,000 people on a shared machine, November 2026, in CPU seconds: composing 18; written as
JSON lines with every field 1.2, as Parquet 1.8; these imported into a workspace 5.9 and 6.2; all read from it 2.8. Of
800 people, whole (median 21 words): distinct-1/2/3 .18/.50/.66, gzip 2.9, first three words shared .20; cut after 14
words, as people of Persona Hub's tools are long: .28/.63/.79, gzip 2.8, nearest neighbour .50, Vendi 116.
"""

from __future__ import annotations

import argparse
import gzip
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from studio.bank.compose import people
from studio.bank.export import export_people
from studio.bank.formats import import_people
from studio.store import ExampleStore


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=100_000)
    wanted = parser.parse_args().people
    with taken(f"{wanted} composed"):
        made = list(people(wanted))
    for count in (800, 5000):
        print(f"{count}: {diversity([one.background for one in made[:count]])}")
    with tempfile.TemporaryDirectory() as folder:
        for name in ("people.jsonl", "people.json", "people.parquet"):
            path = Path(folder) / name
            with taken(f"{name} written"):
                export_people(made, path, full=True)
            store = ExampleStore(Path(folder) / f"{name}.db")
            with taken(f"{name} of {path.stat().st_size / 1e6:.0f} MB imported"):
                import_people(path, store)
            with taken("everybody read from the store"):
                assert store.people() == made
            store.close()


@contextmanager
def taken(what: str) -> Iterator[None]:
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    print(f"{what}: {time.process_time() - cpu:.1f} s CPU, {time.perf_counter() - wall:.1f} s wall", flush=True)


def diversity(texts: list[str]) -> str:
    words = [re.findall(r"\w+", text.lower()) for text in texts]
    shares = []
    for size in (1, 2, 3):
        grams = [tuple(one[place : place + size]) for one in words for place in range(len(one) - size + 1)]
        shares.append(len(set(grams)) / len(grams))
    openings = Counter(tuple(one[:3]) for one in words)
    shared = sum(count for count in openings.values() if count > 1) / len(texts)
    whole = "\n".join(texts).encode()
    distinct = "/".join(f"{share:.2f}" for share in shares)
    ratio = len(whole) / len(gzip.compress(whole))
    top, often = openings.most_common(1)[0]
    median = sorted(map(len, words))[len(words) // 2]
    return (
        f"median {median} words, distinct-1/2/3 {distinct}, gzip {ratio:.2f}, first three words shared {shared:.2f}, "
        f"most often {' '.join(top)!r} ({often / len(texts):.3f})"
    )


if __name__ == "__main__":
    main()
