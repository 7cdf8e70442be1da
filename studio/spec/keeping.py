"""Keeping a spec as it is now, with the files that it names, beside what is made from it."""

from __future__ import annotations

import shutil
from pathlib import Path

from studio.files import write_atomic
from studio.spec.beside import inside
from studio.spec.loading import LoadedSpec, load
from studio.spec.problems import SpecError
from studio.spec.reading import UnreadableError

_FILE = "spec.yaml"


def keep_spec(loaded: LoadedSpec, folder: Path) -> None:
    """Copy its files into ``folder``, so that :func:`kept_spec` finds there what ``loaded`` is.

    Where they cannot stand apart from where they lie, or have changed since, nothing is kept.
    """
    if _loaded(folder, loaded.hash):
        return
    copy = folder / _FILE
    beside = [name.strip() for name in (loaded.spec.beside.context, loaded.spec.beside.profiles) if name]
    try:
        write_atomic(copy, loaded.path.read_bytes())
        for name in beside:
            write_atomic(inside(copy, name), (loaded.path.parent / name).read_bytes())
    except (FileNotFoundError, UnreadableError):
        pass
    if not _loaded(folder, loaded.hash):
        shutil.rmtree(folder, ignore_errors=True)


def kept_spec(folder: Path, spec_hash: str) -> LoadedSpec | None:
    """The spec of that hash that was kept in ``folder``; None where it is not there, or was changed."""
    return _loaded(folder, spec_hash)


def _loaded(folder: Path, spec_hash: str) -> LoadedSpec | None:
    try:
        loaded = load(folder / _FILE)
    except SpecError:
        return None
    return loaded if loaded.hash == spec_hash else None
