"""Importing what is slow to import, off the event loop."""

from __future__ import annotations

import asyncio
import importlib

_LOADED: set[str] = set()


async def load(module: str) -> None:
    """Import ``module`` in a thread, once."""
    if module not in _LOADED:
        await asyncio.to_thread(importlib.import_module, module)
        _LOADED.add(module)
