"""What the packaging screen shows, as content: what goes in, and what came out."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textual.content import Content

from studio.evaluate.types import Evaluation
from studio.package import Package, package_id, packages
from studio.train.types import Run
from studio.tui.live.runs import chosen_with_evaluation
from studio.tui.text import Part, cells, clip, duration, join, line, lines, pad, shown
from studio.tui.widgets.gates import tally
from studio.tui.widgets.layout import facts

if TYPE_CHECKING:
    from studio.build import Session

CONTENTS = (
    ("adapter_config.json", "base model and shape"),
    ("adapter_model.safetensors", "the weights"),
    ("tokenizer files", "with the chat template that trained"),
    ("generation_config.json", "greedy, as evaluated"),
    ("README.md", "the model card"),
    ("PERSONA_SPEC.md", "the persona in words"),
    ("evidence/", "evaluation, gates, labels, the spec"),
    ("examples/sample_interactions.jsonl", "probes with both replies"),
)


@dataclass(frozen=True)
class Found:
    """What the workspace holds for this screen: the run to pack, its evaluation, and every package."""

    run: Run | None = None
    evaluation: Evaluation | None = None
    made: tuple[Package, ...] = ()
    already: Package | None = None
    """The package of exactly this run and evaluation."""


def found_in(session: Session) -> Found:
    """Reads the disk."""
    run, evaluation = chosen_with_evaluation(session)
    made = {one.id: one for one in packages(session.workspace)}
    already = made.get(package_id(session.loaded.spec.slug, evaluation)) if evaluation else None
    return Found(run, evaluation, tuple(made.values()), already)


def sizes_of(package: Package) -> dict[str, int]:
    """File -> bytes. Reads the disk. A file that is gone is left out."""
    found = {}
    for name in package.files:
        with suppress(OSError):
            found[name] = (Path(package.path) / name).stat().st_size
    return found


def intake_page(run: Run, found: Found, width: int, *, whole: bool) -> Content:
    """What ``s`` would pack; with ``whole`` the contents are told one by one."""
    finished = run.finished
    about = f", {finished.adapter_mb:.2f} MB, loss {finished.loss:.3f}" if finished else ""
    pairs: list[tuple[str, Part]] = [("run", f"{run.plan.run_id} on {run.plan.base_model}{about}")]
    if found.evaluation is None:
        pairs.append(("gates", ("not evaluated yet: evaluate first (6)", "$warning bold")))
    else:
        passed, all_the_same = ("  all passed", "$success"), "  may be packed all the same; the card says so"
        told = passed if found.evaluation.passed else (all_the_same, "$warning")
        pairs += [("gates", join(tally(found.evaluation.gates), told)), ("packed", _packed(found.already))]
    if not whole:
        return facts([*pairs, ("holds", ", ".join(name for name, _ in CONTENTS))], width, name_width=8)
    contents = [join((f"{name:<35}", ""), (clip(why, max(width - 35, 0)), "$quiet")) for name, why in CONTENTS]
    return lines([facts(pairs, width, name_width=8), join(("What goes in", "bold $primary")), *contents])


def _packed(already: Package | None) -> Part:
    if already is None:
        return ("not yet: s packs it and proves it", "$primary bold")
    if not already.verification.verified:
        return ("yes, but it is not verified: s makes it again", "$error bold")
    return (f"yes, as {already.id}", "$success")


def package_line(package: Package, width: int) -> Content:
    """``verified  gates failed  taskmaster-run-...``."""
    proof = ("verified    ", "$success") if package.verification.verified else ("not verified", "$error bold")
    gates = ("gates passed", "$success") if package.gates_passed else ("gates not passed", "$warning")
    when = f"  {package.created:%m-%d %H:%M}  "
    return join(proof, (when, "$quiet"), clip(package.id, max(width - 46, 10)), "  ", gates)


def package_page(package: Package, sizes: Mapping[str, int], width: int) -> Content:
    """Where it is, its proof, and its files. How far the package, loaded back, is from the run is told by the
    log-probabilities of the same tokens."""
    proof = package.verification
    state: Part = ("verified", "$success") if proof.verified else ("not verified", "$error bold")
    note = f": {line(proof.note).plain}" if proof.note else "" if proof.verified else ": the replies differ"
    compared = ""
    if proof.difference is not None and proof.largest is not None:
        allowed = f"; {proof.tolerance:g} allowed" if proof.tolerance is not None else ""
        compared = (
            f"loaded back in a fresh process, log-probabilities of {proof.tokens} tokens in {proof.probes} probes "
            f"differ by {proof.difference:.2g} on average, {proof.largest:.2g} at most{allowed}"
        )
    pairs: list[tuple[str, Part]] = [
        ("path", (package.path, "bold")),
        ("size", f"{len(package.files)} files, {size(sum(sizes.values()))}"),
        ("verdict", package.verdict),
        ("gates", ("passed", "$success") if package.gates_passed else ("not all passed", "$warning")),
        ("proof", join(state, note, (f", in {duration(proof.seconds)}", "$quiet"))),
        ("", compared),
        ("asked", shown(proof.prompt)),
        ("replied", shown(proof.reply)),
        ("expected", "" if proof.verified else shown(proof.expected)),
    ]
    names = max(map(cells, package.files), default=0)
    files = [
        join(f"{pad(name, names)} ", (f"{size(sizes[name]) if name in sizes else 'gone':>9}", "bold"))
        for name in package.files
    ]
    return lines([facts(pairs, width, name_width=8), join(("Files", "bold $primary")), *files])


def size(count: int) -> str:
    """``812 B``, ``1.4 kB``, ``8.5 MB``."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} B"
