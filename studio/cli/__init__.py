"""One command a stage, and the window."""

from studio.cli.main import main

__all__ = ["main"]
