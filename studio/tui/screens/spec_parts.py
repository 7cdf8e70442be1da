"""The parts of a spec, and the prompts made from it, as pages to read."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from textual.content import Content

from studio.chatml import Messages
from studio.spec import LoadedSpec, author_messages, judge_messages, persona_prompt, probe_text, targets
from studio.tui.text import join, shown
from studio.tui.widgets.facts import facts
from studio.tui.widgets.hanging import Hung, hang, hang_text, hanging
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
        ("context", spec.context or ""),
        ("people", f"{len(loaded.topics)} topics in {spec.users.profiles}" if spec.users.profiles else ""),
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
        if trait.cues:
            parts.append(hang(("cues    ", "$quiet"), ", ".join(trait.cues)))
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


def patterns(loaded: LoadedSpec) -> Shown:
    parts: list[Content | Hung] = []
    for number, step in enumerate(loaded.spec.patterns, 1):
        parts.append(hang((f"{number} ", "bold $primary"), (step.step, "bold $primary"), "  ", step.how))
        parts += [*(hang("  ", phrase) for phrase in step.phrases), Content("")]
    return hanging(parts or [_nothing("patterns")])


def boundaries(loaded: LoadedSpec) -> Shown:
    parts: list[Content | Hung] = []
    for boundary in loaded.spec.boundaries:
        parts += [shown(boundary.id, "bold $primary"), hang(("never   ", "$quiet"), boundary.never)]
        if boundary.cues:
            parts.append(hang(("cues    ", "$quiet"), ", ".join(boundary.cues)))
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
    success = loaded.spec.success
    told = {
        "overall": (f"{success.overall:g}", "mean of all replies, of 10, at least"),
        "trait": (f"{success.trait:g}", "every trait's mean, of 2, at least"),
        "violations": (f"{success.violations:.0%}", "replies that cross a boundary, at most"),
        "win rate": (f"{success.win_rate:.0%}", "tuned against base, ties count half, at least"),
        "train loss": (f"{success.train_loss:g}", "at most"),
        "adapter": (f"{success.adapter_mb:g} MB", "at most"),
        "latency": (f"{success.latency_s:g} s", "95 % of replies come within it, at most"),
        "accept score": (f"{success.accept_score:g}", "of 10, what an example needs to pass the judge"),
        "examples": (f"{success.examples}", "accepted examples the dataset needs"),
    }
    return hanging(
        hang(join((f"{name:<14}", "$quiet"), (f"{value:>7}", "bold"), "  "), why) for name, (value, why) in told.items()
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
    )
    return _prompt(f"What an author model is sent to write one example, here for: {scenario}", messages)


def judge(loaded: LoadedSpec) -> Shown:
    """What a judge model is sent, for the first example."""
    spec = loaded.spec
    if not spec.examples:
        return _nothing("examples to show the judge's prompt with")
    example = spec.examples[0]
    messages = judge_messages(spec, example.turns, example.scenario or "")
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
