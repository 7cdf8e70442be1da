"""The persona as data: its file, its models, and the prompts, rules and targets made from it."""

from studio.spec.describe import numbered_steps, persona_prompt, trait_line
from studio.spec.load import LoadedSpec, check, content_hash, keep_spec, kept_spec, load, starter
from studio.spec.model import (
    Boundary,
    Category,
    Deployment,
    Spec,
    SpecExample,
    Step,
    Success,
    Text,
    Topic,
    Trait,
    Users,
    UserType,
    Vocabulary,
)
from studio.spec.problems import Problem, SpecError
from studio.spec.prompts import author_messages, compare_messages, judge_messages
from studio.spec.rules import Hit, Rules
from studio.spec.scenarios import held_out_texts, probe_text, targets

__all__ = [
    "Boundary",
    "Category",
    "Deployment",
    "Hit",
    "LoadedSpec",
    "Problem",
    "Rules",
    "Spec",
    "SpecError",
    "SpecExample",
    "Step",
    "Success",
    "Text",
    "Topic",
    "Trait",
    "UserType",
    "Users",
    "Vocabulary",
    "author_messages",
    "check",
    "compare_messages",
    "content_hash",
    "held_out_texts",
    "judge_messages",
    "keep_spec",
    "kept_spec",
    "load",
    "numbered_steps",
    "persona_prompt",
    "probe_text",
    "starter",
    "targets",
    "trait_line",
]
