"""The dataset: what was accepted as training data, frozen in snapshots, and what decisions say of preferences."""

from studio.dataset.export import STREAM, Export, export_chatml
from studio.dataset.snapshots import (
    Contents,
    Difference,
    Snapshot,
    contents,
    diff,
    find_snapshot,
    snapshots,
    take_snapshot,
    training_data,
)

__all__ = [
    "STREAM",
    "Contents",
    "Difference",
    "Export",
    "Snapshot",
    "contents",
    "diff",
    "export_chatml",
    "find_snapshot",
    "snapshots",
    "take_snapshot",
    "training_data",
]
