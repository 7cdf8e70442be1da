"""A spec to begin a persona with."""

from __future__ import annotations

import json
from importlib.resources import files


def starter(name: str) -> str:
    """The text of a spec for ``name`` that explains its parts, is valid, and can be built offline as it stands."""
    text = (files("studio.spec") / "starter.yaml").read_text(encoding="utf-8")
    return text.replace("{name}", json.dumps(name, ensure_ascii=False), 1)
