"""A workspace on a read-only mount can be read by every command that only reads; the others say so in a line."""

from __future__ import annotations

from pathlib import Path

from tests.full_disk import on_small_disk

COMMANDS = """
import subprocess, sys
from pathlib import Path
from studio.store import Owner, Workspace
from tests.cli.making import SPEC
from tests.store.making import example, judgement
from studio.spec import load

disk = Path(sys.argv[1])
spec = disk / "harbour.yaml"
spec.write_text(SPEC, encoding="utf-8")
loaded = load(spec)
workspace = Workspace.open(disk / "ws", loaded.spec.slug, Owner.of(loaded.spec.name, spec))
for name in ("one", "two"):
    made = example(name, category="calls", scenario="A boat calls", said=f"Hello {name}", spec_hash=loaded.hash)
    workspace.examples.add_example(made, judgement(spec_hash=loaded.hash))
workspace.close()
subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
for command in (
    "triage list SPEC", "triage review SPEC --list", "triage export SPEC --out -", "bank list SPEC",
    "dataset preferences SPEC", "dataset list SPEC", "dataset export SPEC --out -", "workspace check SPEC",
    "triage accept one --spec SPEC", "triage export SPEC", "workspace backup SPEC",
):
    words = [str(spec) if word == "SPEC" else word for word in command.split()]
    done = subprocess.run(
        [sys.executable, "-c", "from studio.cli import main; main()", *words, "--workspace", str(disk / "ws")],
        capture_output=True, text=True, check=False,
    )
    print(command, "->", done.returncode, "traceback" if "Traceback" in done.stderr else len(done.stderr.splitlines()))
    if done.returncode:
        sys.stderr.write(done.stderr)
"""


def test_what_only_reads_reads_and_what_writes_says_so(tmp_path: Path) -> None:
    told = dict(line.split(" -> ") for line in on_small_disk(COMMANDS, tmp_path, kib=16384))
    writing = {"triage accept one --spec SPEC", "triage export SPEC", "workspace backup SPEC"}
    assert {command: end for command, end in told.items() if command in writing} == dict.fromkeys(writing, "2 1")
    assert {command: end[0] for command, end in told.items() if command not in writing} == dict.fromkeys(
        told.keys() - writing, "0"
    )
