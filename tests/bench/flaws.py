"""What a judge makes of TaskMaster's recorded conversations, 35 of which are flawed on purpose.

    python -m tests.bench.flaws

``taskmaster.flaws.json`` names the flawed ones by their line in ``specs/taskmaster.recorded.jsonl``, as their writers
did. No judge reads it.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from studio.generate import read_recordings
from studio.judge import open_judge
from studio.llm import resolve_settings
from studio.spec import load

FLAWS = Path(__file__).with_name("taskmaster.flaws.json")


async def main() -> None:
    loaded = load("specs/taskmaster.yaml")
    flaws: dict[str, str] = json.loads(FLAWS.read_text(encoding="utf-8"))
    judge = open_judge(resolve_settings(), loaded)
    counts = {(flawed, passed): 0 for flawed in (True, False) for passed in (True, False)}
    for line, one in enumerate(read_recordings(loaded), 1):
        judged = await judge.score(one.messages, one.scenario)
        flaw, passed = flaws.get(str(line)), judged.verdict == "passed"
        counts[flaw is not None, passed] += 1
        if flaw and passed:
            print(f"passed line {line}: {flaw}")
    await judge.close()
    print(f"{judge.name}: flawed {counts[True, False]} rejected, {counts[True, True]} passed")
    print(f"{judge.name}: others {counts[False, False]} rejected, {counts[False, True]} passed")


if __name__ == "__main__":
    asyncio.run(main())
