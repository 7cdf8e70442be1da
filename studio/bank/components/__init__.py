"""What built-in people are made of: roles with their own to-dos, tones, backgrounds and names."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML

from studio.chatml import Frozen
from studio.spec.models import Text


class Role(Frozen):
    role: Text
    things: tuple[Text, ...]
    """To-dos of this role: short verb phrases in lower case."""


class Tone(Frozen):
    tone: Text
    writes: Text
    """How such a person writes, as an author is told."""


class Components(Frozen):
    roles: tuple[Role, ...]
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
