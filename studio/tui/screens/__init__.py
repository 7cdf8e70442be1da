"""The stages, a folder each: the screen, its parts, and its styles."""
