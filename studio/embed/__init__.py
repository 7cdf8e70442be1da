"""Sentence embeddings on the CPU without PyTorch, and exact nearest-neighbour search over them."""

from studio.embed.model import DIMENSIONS, CachedEmbedder, Embedder, MiniLM, shared_embedder
from studio.embed.nearest import NearestVectors

__all__ = ["DIMENSIONS", "CachedEmbedder", "Embedder", "MiniLM", "NearestVectors", "shared_embedder"]
