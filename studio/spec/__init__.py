"""The persona as data: its file, its models, and the prompts, rules and targets made from it."""

from studio.spec.keeping import keep_spec, kept_spec
from studio.spec.loading import LoadedSpec, check, content_hash, load
from studio.spec.models import (
    Boundary,
    Category,
    Deployment,
    Spec,
    SpecExample,
    Step,
    Success,
    Trait,
    Users,
    Vocabulary,
)
from studio.spec.probes import held_out_texts, probe_text
from studio.spec.problems import Problem, SpecError
from studio.spec.profiles import Topic, UserType
from studio.spec.prompts import author_messages, compare_messages, judge_messages, persona_prompt
from studio.spec.rules import Hit, Rules
from studio.spec.starting import starter
from studio.spec.targets import targets

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
    "persona_prompt",
    "probe_text",
    "starter",
    "targets",
]
