"""Agreement of the learned judge, measured in a process of its own: ``python -m studio.tui.measuring SPEC``.

Learning from labels takes both cores for up to half a minute, which the window's thread would feel.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from studio.judge import judge_agreement, open_judge
from studio.llm import ModelSettings
from studio.spec import load

NICE = 10


def measure_apart(spec_path: Path) -> None:
    """Measure it and keep it in the user's cache, where :func:`studio.judge.known_agreement` finds it. Blocks; what
    goes wrong is told when the judge is next used. The process outlives the window."""
    command, nowhere = [sys.executable, "-m", "studio.tui.measuring", str(spec_path)], subprocess.DEVNULL
    subprocess.run(command, check=False, start_new_session=True, stdin=nowhere, stdout=nowhere, stderr=nowhere)


def main(spec_path: Path) -> None:
    os.nice(NICE)
    loaded = load(spec_path)
    asyncio.run(judge_agreement(loaded, open_judge(ModelSettings(), loaded)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
