"""``studio spec``: check a persona file, and show what is made of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from studio.cli.options import WORKSPACE, AsJson, WorkspaceFolder, group
from studio.cli.output import say, say_json, tell
from studio.errors import UserError
from studio.files import write_atomic
from studio.spec import (
    LoadedSpec,
    SpecError,
    Tally,
    gates_in_words,
    labels_tally,
    load,
    persona_prompt,
    probe_text,
    recorded_tally,
    rules_in_words,
    starter,
    targets,
)
from studio.spec import check as check_text

app = group("Begin, check and show persona files.", "studio spec check specs/taskmaster.yaml")
File = Annotated[Path, typer.Argument(metavar="FILE", help="A persona's YAML file.")]


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the persona is called.")],
    path: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Instead of a file of its name here.")
    ] = None,
    workspace: WorkspaceFolder = WORKSPACE,
) -> None:
    """Write a spec to begin with: one page that explains itself. The workspace is not looked at.

    Example: studio spec new "Harbor Guide"
    """
    text = starter(name)
    loaded, problems = check_text(text, path or "the new spec")
    if loaded is None:
        raise UserError(f"not a name: {problems[0].message}", where=name, remedy="letters, as it is to be shown")
    target = path or Path(f"{loaded.spec.slug}.yaml")
    if target.exists():
        raise UserError("there is such a file already", where=str(target), remedy="another name, or --out FILE")
    try:
        write_atomic(target, text)
    except OSError as error:
        raise UserError(error.strerror or str(error), where=str(target), remedy="--out FILE") from error
    say(f"{target}: change it from the top down; studio spec check {target} tells what is wrong")


@app.command("check")
def check(file: File, workspace: WorkspaceFolder = WORKSPACE, as_json: AsJson = False) -> int:
    """Validate a file: exit status 0 good, 2 bad, with one line a problem on stderr. What is amiss in its recordings or
    labels is told there too, and leaves it good. The workspace is not looked at.

    Example: studio spec check specs/taskmaster.yaml
    """
    try:
        loaded = load(file)
    except SpecError as error:
        for problem in error.problems:
            tell(str(problem))
        if as_json:
            say_json({"valid": False, "problems": [problem.model_dump(mode="json") for problem in error.problems]})
        return 2
    notes = [note for tally in (recorded_tally(loaded), labels_tally(loaded)) if tally for note in tally.notes]
    for note in notes:
        tell(note)
    if as_json:
        say_json({"valid": True, "name": loaded.spec.name, "hash": loaded.hash, "notes": notes})
    else:
        say(f"{file}: good ({loaded.spec.name}, sha256 {loaded.hash[:12]})")
    return 0


@app.command("show")
def show(file: File, workspace: WorkspaceFolder = WORKSPACE, as_json: AsJson = False) -> None:
    """Show what is made from a file: prompt, targets, probes, rules, gates, and what lies beside it. The workspace is
    not looked at.

    Example: studio spec show specs/taskmaster.yaml
    """
    loaded = load(file)
    spec, recorded, labels = loaded.spec, recorded_tally(loaded), labels_tally(loaded)
    if as_json:
        say_json(
            {
                "spec": spec.model_dump(mode="json", by_alias=True),
                "hash": loaded.hash,
                "targets": targets(spec),
                "probes": _probes(loaded),
                "persona_prompt": persona_prompt(spec),
                "recorded": recorded.model_dump(mode="json") if recorded else None,
                "labels": labels.model_dump(mode="json") if labels else None,
            }
        )
        return
    say(persona_prompt(spec))
    for title, lines in (
        ("Scenarios", _scenarios(loaded, recorded)),
        ("Rules", _table(rules_in_words(spec).items())),
        ("Gates", (f"{name:<24} {figure:>7}  {why}" for name, (figure, why) in gates_in_words(spec).items())),
        ("Beside it", _table(_beside(loaded, recorded, labels))),
    ):
        say(f"\n{title}:")
        for line in lines:
            say(line)


def _table(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    yield from (f"{name:<24} {value}" for name, value in pairs)


def _probes(loaded: LoadedSpec) -> list[dict[str, Any]]:
    held_out = ((name, item) for name, row in loaded.spec.scenarios.items() if row.holdout for item in row.items)
    found = ((name, *probe_text(item)) for name, item in held_out)
    return [{"category": name, "text": text, "keep": list(keep)} for name, text, keep in found]


def _scenarios(loaded: LoadedSpec, recorded: Tally | None) -> Iterator[str]:
    """Each category with its target, and how many conversations are recorded for it; then the probes."""
    wanted = targets(loaded.spec)
    for name, target in wanted.items():
        there = sum(recorded.of[item] for item in loaded.spec.scenarios[name].items) if recorded else 0
        yield f"{name:<24} {target:>4}" + (f" wanted, {there} recorded" if recorded else "")
    yield f"{'in all':<24} {sum(wanted.values()):>4}" + (f" wanted, {recorded.rows} recorded" if recorded else "")
    probes = _probes(loaded)
    yield f"{'held out':<24} {len(probes):>4} probes, {sum(bool(probe['keep']) for probe in probes)} with words to keep"


def _beside(loaded: LoadedSpec, recorded: Tally | None, labels: Tally | None) -> Iterator[tuple[str, str]]:
    spec = loaded.spec
    if spec.beside.context:
        yield "context", f"{spec.beside.context}: {len(loaded.context_text)} characters"
    if spec.beside.profiles:
        people = sum(len(topic.example_types) for topic in loaded.topics)
        yield "profiles", f"{spec.beside.profiles}: {len(loaded.topics)} topics, {people} user types"
    yield "people", f"profiles {spec.users.weight.profiles:g}, bank {spec.users.weight.bank:g} ({spec.users.bank})"
    if recorded:
        yield "recorded", f"{spec.beside.recorded}: conversations {recorded.rows}"
    if labels:
        scored = ", ".join(f"{name} {count}" for name, count in labels.of.items())
        yield "labels", f"{spec.beside.labels}: replies {labels.rows} ({scored})"
    yield from (("", note) for tally in (recorded, labels) if tally for note in tally.notes)
    yield "base model", spec.deployment.base_model
    yield "sha256", loaded.hash
