"""Sentence embeddings on the CPU without PyTorch."""

from studio.embed.disk_cache import DiskCachedEmbedder, disk_embedder
from studio.embed.model import DIMENSIONS, CachedEmbedder, Embedder, MiniLM, shared_embedder
from studio.embed.nearest import Nearest

__all__ = [
    "DIMENSIONS",
    "CachedEmbedder",
    "DiskCachedEmbedder",
    "Embedder",
    "MiniLM",
    "Nearest",
    "disk_embedder",
    "shared_embedder",
]
