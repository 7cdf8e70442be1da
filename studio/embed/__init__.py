"""Sentence embeddings on the CPU without PyTorch."""

from studio.embed.model import DIMENSIONS, CachedEmbedder, Embedder, MiniLM, shared_embedder

__all__ = ["DIMENSIONS", "CachedEmbedder", "Embedder", "MiniLM", "shared_embedder"]
