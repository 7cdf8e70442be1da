"""An exchange: ways to say the same thing, and ways to answer it."""

from __future__ import annotations

from dataclasses import dataclass

from studio.train.pocket.lexicon import Lexicon
from studio.train.pocket.scene import Scene

Pair = tuple[str, str]
"""What the user says and what the assistant answers."""


@dataclass(frozen=True)
class Exchange:
    """``turns`` alternate between user and assistant; each is a tuple of templates, any of which will do."""

    weight: float
    turns: tuple[tuple[str, ...], ...]

    def play(self, lexicon: Lexicon, scene: Scene) -> list[Pair]:
        said = [scene.fill(lexicon.any(templates)) for templates in self.turns]
        return list(zip(said[::2], said[1::2], strict=True))


def exchange(weight: float, *turns: str) -> Exchange:
    """Each turn is a text with a template a line. How often it comes up is in proportion to ``weight``."""
    return Exchange(weight, tuple(tuple(line.strip() for line in turn.strip().splitlines()) for turn in turns))
