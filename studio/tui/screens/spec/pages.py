"""The pages of a spec: its parts, and the prompts made from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from textual.content import Content

from studio.chatml import Messages
from studio.generate import author_messages
from studio.judge import judge_messages
from studio.spec import LoadedSpec, gates_in_words, persona_prompt, probe_text, rules_in_words, targets
from studio.tui.text import join, shown
from studio.tui.widgets.layout import Hung, hang, hang_text, hanging
from studio.tui.widgets.page import Shown

Lines = Iterator[Content | Hung]
TITLE = "bold $primary"
BLANK = Content("")


def page_of(part: str, loaded: LoadedSpec) -> Shown:
    """The page of a part; where the spec has none of it, what to do."""
    return hanging([*PAGES[part](loaded)] or [_nothing(part)])


def overview(loaded: LoadedSpec) -> Lines:
    spec = loaded.spec
    values = {
        "name": spec.name,
        "purpose": spec.purpose,
        "identity": spec.identity,
        "users": "; ".join(spec.target_users),
        "language": spec.language,
        "traits": ", ".join(spec.trait_names),
        "examples": f"{len(spec.examples)} by hand, {sum(targets(spec).values())} wanted",
        "context": spec.beside.context or "",
        "profiles": f"{len(loaded.topics)} topics in {spec.beside.profiles}" if loaded.topics else "",
        "bank": spec.users.bank or "none",
        "recorded": spec.beside.recorded or "",
        "labels": spec.beside.labels or "",
        "base model": spec.deployment.base_model,
        "file": str(loaded.path),
        "hash": loaded.hash[:12],
    }
    for name, value in values.items():
        if value.strip():
            yield hang((f"{name:<12}", "$quiet"), " ".join(value.split()))


def traits(loaded: LoadedSpec) -> Lines:
    for trait in loaded.spec.traits:
        yield shown(trait.name, TITLE)
        yield hang(("is      ", "$quiet"), trait.is_)
        if trait.is_not:
            yield hang(("is not  ", "$quiet"), trait.is_not)
        for score, text in sorted(trait.anchors.items(), reverse=True):
            yield hang((f"{score}       ", "$quiet"), text)
        yield BLANK


def vocabulary(loaded: LoadedSpec) -> Lines:
    words = loaded.spec.vocabulary
    groups = {"Prefers": words.prefer, "Never says": words.avoid, "Never matches": words.avoid_patterns}
    for title, entries in groups.items():
        if entries:
            yield shown(title, TITLE)
            yield from (hang("  ", entry) for entry in entries)
            yield BLANK
    listed, allowed = "also the built-in list of generic AI phrases", "generic AI phrases are allowed"
    yield shown(listed if words.avoid_generic_ai else allowed, "$quiet")


def rules(loaded: LoadedSpec) -> Lines:
    yield from (shown("What every reply is checked for without any judge.", "$quiet"), BLANK)
    for name, setting in rules_in_words(loaded.spec).items():
        yield join((f"{name:<18}", "$quiet"), (setting, "bold"))


def patterns(loaded: LoadedSpec) -> Lines:
    for number, step in enumerate(loaded.spec.patterns, 1):
        yield from (hang((f"{number} ", TITLE), (step.step, TITLE), "  ", step.how), BLANK)


def boundaries(loaded: LoadedSpec) -> Lines:
    for boundary in loaded.spec.boundaries:
        yield from (shown(boundary.id, TITLE), hang(("never   ", "$quiet"), boundary.never))
        if boundary.phrases:
            yield hang(("phrases ", "$quiet"), ", ".join(boundary.phrases))


def examples(loaded: LoadedSpec) -> Lines:
    for example in loaded.spec.examples:
        yield shown(example.scenario or "any scenario", "$quiet")
        for turn in example.turns:
            yield hang((f"{turn.role:<10}", "$primary" if turn.role == "assistant" else "bold"), turn.content)
        yield BLANK


def scenarios(loaded: LoadedSpec) -> Lines:
    wanted = targets(loaded.spec)
    for name, category in loaded.spec.scenarios.items():
        use = "held out, for evaluation only" if category.holdout else f"{wanted[name]} wanted, {category.priority}"
        yield join((name, TITLE), "  ", (use, "$quiet"))
        for item in category.items:
            yield hang("  ", probe_text(item)[0] if category.holdout else item)
        yield BLANK


def gates(loaded: LoadedSpec) -> Lines:
    for name, (figure, why) in gates_in_words(loaded.spec).items():
        yield hang(join((f"{name:<14}", "$quiet"), (f"{figure:>7}", "bold"), "  "), why)


def persona(loaded: LoadedSpec) -> Lines:
    yield from (shown("The system prompt that makes a model play the persona.", "$quiet"), BLANK)
    yield from hang_text(persona_prompt(loaded.spec))


def author(loaded: LoadedSpec) -> Lines:
    """What an author model is sent, for the first scenario."""
    spec = loaded.spec
    category, scenario = next((name, one.items[0]) for name, one in spec.scenarios.items() if not one.holdout)
    messages = author_messages(
        spec,
        category=category,
        scenario=scenario,
        person_text="(the person who is drawn for the example)",
        context=loaded.context_text,
        shots=[one for one in spec.examples if one.scenario == scenario][:2] or spec.examples[:2],
        seed=0,
    )
    yield from _prompt(f"What an author model is sent to write one example, here for: {scenario}", messages)


def judge(loaded: LoadedSpec) -> Lines:
    """What a judge model is sent, for the first example."""
    if not loaded.spec.examples:
        yield _nothing("examples to show the judge's prompt with")
        return
    example = loaded.spec.examples[0]
    messages = judge_messages(loaded, example.turns, example.scenario or "")
    yield from _prompt("What a judge model is sent to score one reply, here the first example's", messages)


PAGES: dict[str, Callable[[LoadedSpec], Lines]] = {
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
"""The part as the list names it, and its lines: none where the spec has none of it."""


def _prompt(title: str, messages: Messages) -> Lines:
    yield shown(title, "$quiet")
    for message in messages:
        yield from (BLANK, shown(message.role, TITLE))
        yield from hang_text(message.content)


def _nothing(what: str) -> Content:
    return shown(f"No {what} in this spec. Press e to write some.", "$quiet")
