"""What built-in people are made of: roles, tones, backgrounds and names."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

from studio.chatml import Frozen
from studio.spec import Text


class Tone(Frozen):
    tone: Text
    writes: Text
    """How such a person writes, as an author is told."""


class Components(Frozen):
    roles: tuple[Text, ...]
    tones: tuple[Tone, ...]
    backgrounds: tuple[Text, ...]
    names: tuple[Text, ...]


@cache
def components() -> Components:
    """The built-in set, from the YAML files in this folder."""
    return Components(
        roles=_data("roles"), tones=_data("tones"), backgrounds=_data("backgrounds"), names=_data("names")
    )


def _data(name: str) -> Any:
    text = files(__package__).joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    return YAML(typ="safe").load(text)
