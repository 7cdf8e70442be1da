"""What was written of an example and is not on the disk yet: it outlives a write that failed, and the window."""

from __future__ import annotations

import json
from typing import Literal

Kind = Literal["reply", "whole"]
"""The last reply, written in the window; the whole conversation, written in a person's own editor."""


class Drafts:
    """Texts by kind and example."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def get(self, kind: Kind, example_id: str) -> str | None:
        return self._texts.get(f"{kind} {example_id}")

    def keep(self, kind: Kind, example_id: str, text: str) -> None:
        self._texts[f"{kind} {example_id}"] = text

    def drop(self, *example_ids: str) -> None:
        """Saved, or not wanted."""
        for id_ in example_ids:
            for kind in ("reply", "whole"):
                self._texts.pop(f"{kind} {id_}", None)

    def as_text(self) -> str:
        return json.dumps(self._texts, ensure_ascii=False) if self._texts else ""

    def read(self, text: str) -> None:
        """Take up what :meth:`as_text` gave; anything else is none."""
        try:
            found = json.loads(text)
        except ValueError:
            return
        if isinstance(found, dict):
            self._texts = {str(key): str(value) for key, value in found.items()}
