"""What built-in people are made of: roles, tones, backgrounds and names."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

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
    folder, yaml = files(__package__), YAML(typ="safe")
    return Components.model_validate(
        {name: yaml.load((folder / f"{name}.yaml").read_text(encoding="utf-8")) for name in Components.model_fields}
    )
