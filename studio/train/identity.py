"""Content hashes: what tells one base model, or one adapter, from another, wherever it lies and whatever it is called.

Weights are gigabytes, so the SHA-256 of a file is kept in the user's cache by (path, size, mtime, inode) and computed
again only where one of these has changed.
"""

from __future__ import annotations

import hashlib
import json
import time
from contextlib import suppress
from pathlib import Path

from studio.files import cache_folder, write_atomic

_BESIDE_WEIGHTS = ("config.json", "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "chat_template.jinja")
"""What decides a model's answers beside its weights; those that are there count."""
_ADAPTER = ("adapter_model.safetensors", "adapter_config.json")
_SETTLED_S = 2.0
"""A file that was written so recently may be written again within the clock of its disk: its hash is not kept."""


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex. Raises :class:`OSError` where it cannot be read."""
    real = path.resolve()
    found = real.stat()
    mark = [str(real), found.st_size, found.st_mtime_ns, found.st_ino]
    note = cache_folder() / "hashes" / f"{hashlib.sha256(str(real).encode(errors='surrogateescape')).hexdigest()}.json"
    with suppress(OSError, ValueError):
        kept = json.loads(note.read_text())
        if kept[:-1] == mark:
            return str(kept[-1])
    with real.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if time.time() - found.st_mtime > _SETTLED_S:
        with suppress(OSError, ValueError):  # a cache that cannot be written costs time, nothing else
            write_atomic(note, json.dumps([*mark, digest]))
    return digest


def identity(base_path: str) -> str:
    """What tells one base model from another, for fingerprints.

    A folder is known by what is in it: config, tokenizer, chat template and all of its weights. A hub id by itself.
    """
    folder = Path(base_path)
    if not folder.is_dir():
        return base_path
    beside = (folder / name for name in _BESIDE_WEIGHTS)
    weights = sorted((*folder.glob("*.safetensors"), *folder.glob("*.bin")))
    return _combined([*(path for path in beside if path.is_file()), *weights])


def adapter_hash(adapter: Path) -> str:
    """What tells one adapter from another, a half-trained one from the finished one: its weights and its config.

    ``adapter`` is the folder. Raises :class:`OSError` where it holds no whole adapter.
    """
    return _combined([adapter / name for name in _ADAPTER])


def _combined(files: list[Path]) -> str:
    lines = "".join(f"{path.name} {file_hash(path)}\n" for path in files)
    return hashlib.sha256(lines.encode()).hexdigest()
