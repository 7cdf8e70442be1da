"""The persona as data: its file, its models, and the prompts, rules and targets made from it."""

from studio.spec.describe import gates_in_words, numbered_steps, persona_prompt, rules_in_words, trait_line
from studio.spec.load import LoadedSpec, check, keep_spec, kept_spec, load, starter
from studio.spec.model import Boundary, Spec, SpecExample, Success, Text, Topic, Trait, UserType, probe_text
from studio.spec.problems import Problem, SpecError
from studio.spec.rules import Rules
from studio.spec.scenarios import Tally, held_out_texts, labels_tally, recorded_tally, targets

__all__ = [
    "Boundary",
    "LoadedSpec",
    "Problem",
    "Rules",
    "Spec",
    "SpecError",
    "SpecExample",
    "Success",
    "Tally",
    "Text",
    "Topic",
    "Trait",
    "UserType",
    "check",
    "gates_in_words",
    "held_out_texts",
    "keep_spec",
    "kept_spec",
    "labels_tally",
    "load",
    "numbered_steps",
    "persona_prompt",
    "probe_text",
    "recorded_tally",
    "rules_in_words",
    "starter",
    "targets",
    "trait_line",
]
