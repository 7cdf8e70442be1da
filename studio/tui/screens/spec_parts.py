"""The parts of a spec, and the prompts made from it, as pages to read."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from textual.content import Content

from studio.chatml import Messages
from studio.generate import author_messages
from studio.judge import judge_messages
from studio.spec import (
    LoadedSpec,
    gates_in_words,
    persona_prompt,
    probe_text,
    rules_in_words,
    targets,
)
from studio.tui.text import join, shown
from studio.tui.widgets.layout import Hung, facts, hang, hang_text, hanging
from studio.tui.widgets.page import Shown

Part = Callable[[LoadedSpec], Shown]


def overview(loaded: LoadedSpec) -> Shown:
    spec = loaded.spec
    wanted = sum(targets(spec).values())
    pairs = [
        ("name", spec.name),
        ("purpose", spec.purpose),
        ("identity", spec.identity),
        ("users", "; ".join(spec.target_users)),
        ("language", spec.language),
        ("traits", ", ".join(spec.trait_names)),
        ("examples", f"{len(spec.examples)} by hand, {wanted} wanted"),
        ("context", spec.beside.context or ""),
        ("profiles", f"{len(loaded.topics)} topics in {spec.beside.profiles}" if loaded.topics else ""),
        ("bank", spec.users.bank or "none"),
        ("recorded", spec.beside.recorded or ""),
        ("labels", spec.beside.labels or ""),
        ("base model", spec.deployment.base_model),
        ("file", str(loaded.path)),
        ("hash", loaded.hash[:12]),
    ]
    return lambda width: facts(((name, " ".join(value.split())) for name, value in pairs), width)


def traits(loaded: LoadedSpec) -> Shown:
    parts: list[Content | Hung] = []
    for trait in loaded.spec.traits:
        parts += [shown(trait.name, "bold $primary"), hang(("is      ", "$quiet"), trait.is_)]
        if trait.is_not:
            parts.append(hang(("is not  ", "$quiet"), trait.is_not))
        parts += [hang((f"{score}       ", "$quiet"), text) for score, text in sorted(trait.anchors.items())[::-1]]
        parts.append(Content(""))
    return hanging(parts)


def vocabulary(loaded: LoadedSpec) -> Shown:
    words = loaded.spec.vocabulary
    parts = [*_listed("Prefers", words.prefer), *_listed("Never says", words.avoid)]
    parts += _listed("Never matches", words.avoid_patterns)
    known = (
        "also the built-in list of generic AI phrases" if words.avoid_generic_ai else "generic AI phrases are allowed"
    )
    return hanging([*parts, shown(known, "$quiet")])


def rules(loaded: LoadedSpec) -> Shown:
    parts: list[Content | Hung] = [shown("What every reply is checked for without any judge.", "$quiet"), Content("")]
    parts += [
        join((f"{name:<18}", "$quiet"), (setting, "bold")) for name, setting in rules_in_words(loaded.spec).items()
    ]
    return hanging(parts)


def patterns(loaded: LoadedSpec) -> Shown:
    parts: list[Content | Hung] = []
    for number, step in enumerate(loaded.spec.patterns, 1):
        parts.append(hang((f"{number} ", "bold $primary"), (step.step, "bold $primary"), "  ", step.how))
        parts.append(Content(""))
    return hanging(parts or [_nothing("patterns")])


def boundaries(loaded: LoadedSpec) -> Shown:
    parts: list[Content | Hung] = []
    for boundary in loaded.spec.boundaries:
        parts += [shown(boundary.id, "bold $primary"), hang(("never   ", "$quiet"), boundary.never)]
        if boundary.phrases:
            parts.append(hang(("phrases ", "$quiet"), ", ".join(boundary.phrases)))
    return hanging(parts or [_nothing("boundaries")])


def examples(loaded: LoadedSpec) -> Shown:
    parts: list[Content | Hung] = []
    for example in loaded.spec.examples:
        parts.append(shown(example.scenario or "any scenario", "$quiet"))
        parts += [_turn(message.role, message.content) for message in example.turns] + [Content("")]
    return hanging(parts or [_nothing("examples")])


def scenarios(loaded: LoadedSpec) -> Shown:
    wanted = targets(loaded.spec)
    parts: list[Content | Hung] = []
    for name, category in loaded.spec.scenarios.items():
        use = "held out, for evaluation only" if category.holdout else f"{wanted[name]} wanted, {category.priority}"
        parts.append(join((name, "bold $primary"), "  ", (use, "$quiet")))
        for item in category.items:
            parts.append(hang("  ", probe_text(item)[0] if category.holdout else item))
        parts.append(Content(""))
    return hanging(parts)


def gates(loaded: LoadedSpec) -> Shown:
    gates = gates_in_words(loaded.spec).items()
    return hanging(
        hang(join((f"{name:<14}", "$quiet"), (f"{figure:>7}", "bold"), "  "), why) for name, (figure, why) in gates
    )


def persona(loaded: LoadedSpec) -> Shown:
    told = shown("The system prompt that makes a model play the persona.", "$quiet")
    return hanging([told, Content(""), *hang_text(persona_prompt(loaded.spec))])


def author(loaded: LoadedSpec) -> Shown:
    """What an author model is sent, for the first scenario."""
    category, scenario = first_scenario(loaded)
    shots = [example for example in loaded.spec.examples if example.scenario == scenario][:2]
    messages = author_messages(
        loaded.spec,
        category=category,
        scenario=scenario,
        person_text="(the person who is drawn for the example)",
        context=loaded.context_text,
        shots=shots or loaded.spec.examples[:2],
        seed=0,
    )
    return _prompt(f"What an author model is sent to write one example, here for: {scenario}", messages)


def judge(loaded: LoadedSpec) -> Shown:
    """What a judge model is sent, for the first example."""
    spec = loaded.spec
    if not spec.examples:
        return _nothing("examples to show the judge's prompt with")
    example = spec.examples[0]
    messages = judge_messages(loaded, example.turns, example.scenario or "")
    return _prompt("What a judge model is sent to score one reply, here the first example's", messages)


def first_scenario(loaded: LoadedSpec) -> tuple[str, str]:
    open_ones = ((name, one.items[0]) for name, one in loaded.spec.scenarios.items() if not one.holdout)
    return next(open_ones)


PARTS: dict[str, Part] = {
    "overview": overview,
    "traits": traits,
    "vocabulary": vocabulary,
    "patterns": patterns,
    "boundaries": boundaries,
    "rules": rules,
    "examples": examples,
    "scenarios": scenarios,
    "gates": gates,
    "persona prompt": persona,
    "author prompt": author,
    "judge prompt": judge,
}
"""What the list shows, and the page of each."""


def _listed(title: str, entries: Iterable[str]) -> list[Content | Hung]:
    found = [hang("  ", entry) for entry in entries]
    return [shown(title, "bold $primary"), *found, Content("")] if found else []


def _turn(role: str, text: str) -> Hung:
    return hang((f"{role:<10}", "$primary" if role == "assistant" else "bold"), text)


def _prompt(title: str, messages: Messages) -> Shown:
    parts: list[Content | Hung] = [shown(title, "$quiet")]
    for message in messages:
        parts += [Content(""), shown(message.role, "bold $primary"), *hang_text(message.content)]
    return hanging(parts)


def _nothing(what: str) -> Content:
    return shown(f"No {what} in this spec. Press e to write some.", "$quiet")
