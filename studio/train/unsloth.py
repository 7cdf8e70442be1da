"""Finding unsloth, which is optional and lies in a folder of its own.

Its wheel brings a top-level package named ``studio`` beside ``unsloth``: installed the usual way it would take the
place of this one. So it is looked for in ``unsloth/`` under the environment's prefix, and that folder comes last on
the path of the training worker only.
"""

from __future__ import annotations

import importlib
import os
import shlex
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import distributions
from pathlib import Path
from types import ModuleType

UNSLOTH_FOLDER = Path(sys.prefix) / "unsloth"
VERSION = "2026.10.9"
_CHANGED = ("torch", "transformers", "trl", "peft", "bitsandbytes")
PACKAGES = (f"unsloth=={VERSION}", f"unsloth_zoo=={VERSION}", "pillow")
"""Without their dependencies: of those that it imports, all but pillow are here already."""
INSTALL = shlex.join(
    (sys.executable, "-m", "pip", "install", "--upgrade", "--no-deps", "--target", str(UNSLOTH_FOLDER), *PACKAGES)
)


def unsloth_version(folder: Path = UNSLOTH_FOLDER) -> str | None:
    """The version that is installed in ``folder``, found without importing it; None where there is none."""
    found = next(iter(distributions(name="unsloth", path=[str(folder)])), None)
    return found.version if found else None


def import_unsloth(folder: Path = UNSLOTH_FOLDER) -> ModuleType:
    """Import it. For all that it speeds up to take effect, before transformers, peft and trl.

    What it compiles goes beside it, not into the folder one happens to be in. Raises whatever its import raises.
    """
    os.environ.setdefault("UNSLOTH_COMPILE_LOCATION", str(folder / "unsloth_compiled_cache"))
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    return importlib.import_module("unsloth")


def import_error(folder: Path = UNSLOTH_FOLDER) -> str:
    """Why unsloth cannot be imported, in one line; empty where it can.

    Tried in a process of its own: an import that fails half-way leaves transformers and trl changed. That takes half a
    minute on a fresh GPU box, so what once went well is noted in ``folder``, for these versions of all that it changes.
    """
    proof = folder / "imports-with.txt"
    found = [*distributions(path=[str(folder)]), *(one for name in _CHANGED for one in distributions(name=name))]
    versions = "".join(sorted(f"{one.name} {one.version}\n" for one in found))
    if proof.is_file() and proof.read_text(encoding="utf-8") == versions:
        return ""
    code = f"from pathlib import Path; from {__name__} import import_unsloth; import_unsloth(Path({str(folder)!r}))"
    tried = subprocess.run([sys.executable, "-c", code], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if tried.returncode != 0:
        return (tried.stderr.strip().splitlines() or [f"status {tried.returncode}"])[-1]
    with suppress(OSError):  # a folder of somebody else's is tried each time
        proof.write_text(versions, encoding="utf-8")
    return ""
