"""Wren, a small persona to build from end to end in a test: everything in it was written by hand.

Three traits, three categories of two scenarios, 24 recorded conversations (lines 4, 8, 12 and 24 are flawed: generic,
blaming, gushing, off the point), 40 labelled replies (28 to learn from, 12 locked), six held-out probes.
"""

from __future__ import annotations

import shutil
from pathlib import Path

FOLDER = Path(__file__).parent
SPEC = FOLDER / "wren.yaml"
SLUG = "wren"
RECORDED = 24


def copy_to(folder: Path, *, recorded: bool = True) -> Path:
    """The spec and what lies beside it in ``folder``, to be changed there; its path."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in FOLDER.glob("wren.*"):
        shutil.copy(file, folder / file.name)
    spec = folder / SPEC.name
    if not recorded:
        text = spec.read_text(encoding="utf-8")
        spec.write_text(text.replace("  recorded: wren.recorded.jsonl\n", ""), encoding="utf-8")
        (folder / "wren.recorded.jsonl").unlink()
    return spec
