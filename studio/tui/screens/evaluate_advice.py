"""What to do about an evaluation that did not pass: where it is weakest, and what helps there."""

from __future__ import annotations

from collections.abc import Mapping

from studio.evaluate.gate_text import label
from studio.evaluate.types import Evaluation, Gate

TRAIT = "trait:"
OTHERS: Mapping[str, str] = {
    "train_loss": "train for more epochs, or on more examples (5)",
    "examples": "generate or accept more examples (3, 4)",
    "adapter_mb": "train with a lower rank (5)",
    "latency_s": "take a smaller base model",
}
"""What helps where it is not the replies that failed."""
REPLIES = "look at the probes (the weakest is first), accept more examples of how it ought to be (4), train again"


def advice(evaluation: Evaluation) -> str:
    """In a sentence or more; empty where no gate failed."""
    failed = [gate for gate in evaluation.gates if gate.status == "FAIL"]
    replies = [gate for gate in failed if gate.name not in OTHERS]
    said = [f"{label(gate.name)}: {OTHERS[gate.name]}" for gate in failed if gate.name in OTHERS]
    if replies:
        said.insert(0, f"{weakest(evaluation)}: {REPLIES}")
    return ". ".join(f"{one[0].upper()}{one[1:]}" for one in said) + "." if said else ""


def weakest(evaluation: Evaluation) -> str:
    """``weakest in calm (0.84 of 2), and in the probes of unseen (4.1 of 10)``."""
    traits = {name: mean.value for name, mean in evaluation.tuned.traits.items()}
    categories = {name: sides["tuned"] for name, sides in evaluation.categories.items() if "tuned" in sides}
    found = []
    if traits:
        low = min(traits, key=lambda name: traits[name])
        found.append(f"in {label(low)} ({traits[low]:.2f} of 2)")
    if len(categories) > 1:
        low = min(categories, key=lambda name: categories[name])
        found.append(f"in the probes of {label(low)} ({categories[low]:.1f} of 10)")
    return f"weakest {', and '.join(found)}" if found else "the replies"


def short_advice(gates: tuple[Gate, ...]) -> str:
    """For a line: which gate is furthest from passing by its share, and where to read on; empty where none failed."""
    failed = [gate for gate in gates if gate.status == "FAIL"]
    traits = [gate for gate in failed if gate.name.startswith(TRAIT) and gate.value is not None]
    first = min(traits, key=lambda gate: (gate.value or 0.0) / gate.target if gate.target else 0.0) if traits else None
    gate = first or next(iter(failed), None)
    return f"{label(gate.name)} fails: r says what to do" if gate else ""
