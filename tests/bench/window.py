"""The window at a pseudo-terminal of 160x45: first paint, bytes and milliseconds a key at 100,000 examples, idle bytes.

.venv/bin/python tests/bench/window.py [EXAMPLES]
"""

from __future__ import annotations

import select
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from studio.spec import LoadedSpec, load
from studio.store import Workspace
from tests.tui.making import PERSON, made, write_spec
from tests.tui.pty_window import PtyWindow

KEYS = 100
WINDOW_ALONE = """
import sys
from pathlib import Path
from types import SimpleNamespace
from studio.tui import StudioApp
StudioApp(Path(sys.argv[1]), Path(sys.argv[2]), None, SimpleNamespace(status_line="CPU", short_line="CPU")).run()
"""


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = write_spec(folder)
        loaded = load(path)
        _report_start(path, folder / "none")
        began = time.monotonic()
        _fill(folder / "ws", loaded, count)
        print(f"{count} examples written in {time.monotonic() - began:.0f} s")
        with PtyWindow(path, folder / "ws", size=(160, 45)) as window:
            window.until("CPU")
            window.press("4", "Question 000,")
            window.read(3)
            for key, told in (("j", "cursor down"), ("\x04", "half a page"), ("a", "accept")):
                _report(told, *_keys(window, key))
            began = time.monotonic()
            window.press("G", f"Question {count - 1:03}")
            print(f"to the last example: {(time.monotonic() - began) * 1000:.0f} ms")
            window.read(3)
            print(f"idle: {len(window.read(5))} bytes in 5 s")


def _report_start(path: Path, root: Path) -> None:
    """The window alone, and as the command opens it."""
    window_alone = [sys.executable, "-c", WINDOW_ALONE, str(path), str(root)]
    command = [sys.executable, "-m", "studio.cli", str(path), "--workspace", str(root)]
    import_ms = min(_seconds_to_import() for _ in range(5)) * 1000
    for told, arguments in (("the window", window_alone), ("the command", command)):
        paint_ms = min(_seconds_to_paint(arguments, path, root) for _ in range(5)) * 1000
        print(f"first paint of {told}: {paint_ms:.0f} ms, {paint_ms / import_ms:.2f} times `import textual.app`")


def _seconds_to_import() -> float:
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", "import textual.app"], check=True)
    return time.monotonic() - began


def _seconds_to_paint(arguments: list[str], path: Path, root: Path) -> float:
    began = time.monotonic()
    with PtyWindow(path, root, size=(160, 45), arguments=arguments) as window:
        window.until("overview")
        return time.monotonic() - began


def _fill(root: Path, loaded: LoadedSpec, count: int) -> None:
    workspace = Workspace.open(root, loaded.spec.slug)
    workspace.examples.add_person(PERSON)
    for number in range(count):
        example, judgement = made(number, loaded)
        workspace.examples.add_example(example, judgement)
    workspace.close()


def _keys(window: PtyWindow, key: str) -> tuple[list[float], list[int]]:
    """Milliseconds to the first byte and bytes in all, key by key, each given 0.15 s to settle."""
    times, sizes = [], []
    for _ in range(KEYS):
        before, began = len(window.output), time.monotonic()
        window.send(key)
        select.select([window.fileno()], [], [], 1.0)
        times.append((time.monotonic() - began) * 1000)
        window.read(0.15)
        sizes.append(len(window.output) - before)
    return times, sizes


def _report(told: str, times: list[float], sizes: list[int]) -> None:
    p95 = statistics.quantiles(times, n=20)[-1]
    median, size = statistics.median(times), statistics.median(sizes)
    print(f"{told}: median {median:.1f} ms, p95 {p95:.1f} ms, {size:.0f} bytes a key")


if __name__ == "__main__":
    main()
