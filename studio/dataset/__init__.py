"""The dataset: what was accepted, as training data."""

from studio.dataset.export import STREAM, Export, export_chatml

__all__ = ["STREAM", "Export", "export_chatml"]
