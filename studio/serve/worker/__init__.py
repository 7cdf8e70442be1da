"""The serving process: the only part of this room that imports torch."""
