"""The held-out probes of a persona: what neither side was trained on."""

from __future__ import annotations

import hashlib

from studio.chatml import Messages, system, user
from studio.evaluate.types import Probe
from studio.spec import LoadedSpec, probe_text


def probes(loaded: LoadedSpec) -> tuple[Probe, ...]:
    """Every item of every held-out category, in the order of the file."""
    spec = loaded.spec
    found = []
    for category, rows in spec.scenarios.items():
        for item in rows.items if rows.holdout else ():
            text, kept = probe_text(item)
            found.append(
                Probe(
                    id=hashlib.sha256(f"{category}\0{item}".encode()).hexdigest()[:12],
                    category=category,
                    scenario=item,
                    messages=conversation(text, spec.deployment.system_prompt),
                    keep=kept,
                )
            )
    return tuple(found)


def conversation(text: str, system_prompt: str | None) -> Messages:
    """One user turn, as the deployed persona would get it."""
    return (system(system_prompt), user(text)) if system_prompt else (user(text),)
