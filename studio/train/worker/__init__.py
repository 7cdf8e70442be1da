"""The training process: the only part of this room that imports torch."""
