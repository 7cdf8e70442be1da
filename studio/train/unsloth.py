"""Finding unsloth, which is optional and lies in a folder of its own.

Its wheel brings a top-level package named ``studio`` beside ``unsloth``: installed the usual way it would take the
place of this one. So it is looked for in ``unsloth/`` under the environment's prefix, and that folder comes last on
the path of the training worker only.
"""

from __future__ import annotations

import importlib
import sys
from importlib.metadata import distributions
from pathlib import Path
from types import ModuleType

from studio.errors import UserError

UNSLOTH_FOLDER = Path(sys.prefix) / "unsloth"
VERSION = "2026.10.9"
INSTALL = f"pip install --no-deps --target {UNSLOTH_FOLDER} unsloth=={VERSION} unsloth_zoo=={VERSION}"


def unsloth_version(folder: Path = UNSLOTH_FOLDER) -> str | None:
    """The version that is installed in ``folder``, found without importing it; None where there is none."""
    found = next(iter(distributions(name="unsloth", path=[str(folder)])), None)
    return found.version if found else None


def import_unsloth(folder: Path = UNSLOTH_FOLDER) -> ModuleType:
    """Import it. For all that it speeds up to take effect, before transformers, peft and trl."""
    if unsloth_version(folder) is None:
        raise UserError("unsloth is not installed", remedy=f"{INSTALL}, or backend peft")
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    return importlib.import_module("unsloth")
