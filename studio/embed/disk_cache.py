"""The disk cache of embeddings: a text is embedded once, however often a bank is read, extended or reported on.

One SQLite file in the user's cache folder. A vector takes 768 bytes (float16): 100,000 texts take about 90 MB.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing, suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from studio.embed.model import DIMENSIONS, Embedder, MiniLM
from studio.files import cache_folder

if TYPE_CHECKING:
    from studio.embed.model import Vectors

_BATCH = 256
"""Texts that are embedded between two writes: what a kill can cost."""
_BUSY_S = 5.0


class DiskCachedEmbedder:
    """Another embedder, with a memory on the disk that processes share.

    A vector is rounded to float16 (a cosine changes by less than 0.001) whether it is new or remembered, so that the
    answer never depends on the cache. A cache that cannot be read or written costs time and nothing else.
    """

    def __init__(self, embedder: Embedder, path: Path) -> None:
        self.version = embedder.version
        self._embedder, self._path = embedder, path
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str]) -> Vectors:
        """As :meth:`studio.embed.Embedder.embed`; only what is new is computed."""
        import numpy as np

        rows = np.zeros((len(texts), DIMENSIONS), np.float32)
        with self._lock:
            for start in range(0, len(texts), _BATCH):
                rows[start : start + _BATCH] = self._batch(texts[start : start + _BATCH])
        return rows

    def _batch(self, texts: Sequence[str]) -> Vectors:
        import numpy as np

        keys = [hashlib.sha256(f"{self.version}\0{text}".encode("utf-8", "replace")).digest()[:16] for text in texts]
        known = self._read(keys)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if missing:
            made = self._embedder.embed(list(missing.values())).astype(np.float16)
            new = {key: vector.tobytes() for key, vector in zip(missing, made, strict=True)}
            self._write(new)
            known |= new
        rows = np.stack([np.frombuffer(known[key], np.float16).astype(np.float32) for key in keys])
        rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
        return rows

    def _read(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        if not self._path.exists():
            return {}
        try:
            with closing(sqlite3.connect(self._path, timeout=_BUSY_S)) as connection:
                marks = ", ".join("?" * len(keys))
                found = connection.execute(f"SELECT key, vector FROM vectors WHERE key IN ({marks})", keys)
                return {key: vector for key, vector in found if len(vector) == 2 * DIMENSIONS}
        except sqlite3.Error:
            return {}

    def _write(self, new: dict[bytes, bytes]) -> None:
        with suppress(OSError, sqlite3.Error):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=_BUSY_S)) as connection, connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID"
                )
                connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", new.items())


@lru_cache(maxsize=1)
def disk_embedder() -> DiskCachedEmbedder:
    """The one of this process, in the user's cache folder. Nothing is loaded before its first new text."""
    return DiskCachedEmbedder(MiniLM(), cache_folder() / "embeddings.db")
