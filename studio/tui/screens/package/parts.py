"""What the packaging screen shows, as content: what goes in, and what came out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from textual.content import Content

from studio.evaluate.types import Evaluation
from studio.package import Package, Verification
from studio.train.types import Run
from studio.tui.text import Part, cells, clip, duration, join, line, lines, pad, shown
from studio.tui.widgets.gates import tally
from studio.tui.widgets.layout import facts

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
Sizes = Mapping[str, int]
"""File -> bytes."""


def sizes_of(package: Package) -> dict[str, int]:
    """Reads the disk. A file that is gone is left out."""
    root, found = Path(package.path), {}
    for name in package.files:
        try:
            found[name] = (root / name).stat().st_size
        except OSError:
            continue
    return found


def intake_page(run: Run, evaluation: Evaluation | None, made: Package | None, width: int, *, whole: bool) -> Content:
    """What ``s`` would pack; with ``whole`` the contents are told one by one."""
    finished = run.finished
    about = f", {finished.adapter_mb:.2f} MB, loss {finished.loss:.3f}" if finished else ""
    pairs: list[tuple[str, Part]] = [
        ("run", f"{run.plan.run_id} on {run.plan.base_model}{about}"),
        ("gates", _gates(evaluation)),
        ("packed", _packed(evaluation, made)),
    ]
    if not whole:
        return facts([*pairs, ("holds", ", ".join(name for name, _ in CONTENTS))], width, name_width=8)
    found = [join((f"{name:<35}", ""), (clip(why, max(width - 35, 0)), "$quiet")) for name, why in CONTENTS]
    return lines([facts(pairs, width, name_width=8), join(("What goes in", "bold $primary")), *found])


def _gates(evaluation: Evaluation | None) -> Part:
    if evaluation is None:
        return ("not evaluated yet: evaluate first (6)", "$warning bold")
    if evaluation.passed:
        return join(tally(evaluation.gates), ("  all passed", "$success"))
    return join(tally(evaluation.gates), ("  may be packed all the same; the card says so", "$warning"))


def _packed(evaluation: Evaluation | None, made: Package | None) -> Part:
    if evaluation is None:
        return ""
    if made is None:
        return ("not yet: s packs it and proves it", "$primary bold")
    if not made.verification.verified:
        return ("yes, but it is not verified: s makes it again", "$error bold")
    return (f"yes, as {made.id}", "$success")


def package_line(package: Package, width: int) -> Content:
    """``verified  gates failed  taskmaster-run-...``."""
    proof = ("verified    ", "$success") if package.verification.verified else ("not verified", "$error bold")
    gates = ("gates passed", "$success") if package.gates_passed else ("gates not passed", "$warning")
    when = f"  {package.created:%m-%d %H:%M}  "
    return join(proof, (when, "$quiet"), clip(package.id, max(width - 46, 10)), "  ", gates)


def package_page(package: Package, sizes: Sizes, width: int) -> Content:
    """Where it is, its proof, and its files."""
    total = sum(sizes.values())
    pairs: list[tuple[str, Part]] = [
        ("path", join((package.path, "bold"))),
        ("size", f"{len(package.files)} files, {size(total)}"),
        ("verdict", package.verdict),
        ("gates", ("passed", "$success") if package.gates_passed else ("not all passed", "$warning")),
        *_proof(package),
    ]
    names = max(map(cells, package.files), default=0)
    files = [
        join(f"{pad(name, names)} ", (f"{size(sizes[name]) if name in sizes else 'gone':>9}", "bold"))
        for name in package.files
    ]
    return lines([facts(pairs, width, name_width=8), join(("Files", "bold $primary")), *files])


def _proof(package: Package) -> list[tuple[str, Part]]:
    proof = package.verification
    state: Part = ("verified", "$success") if proof.verified else ("not verified", "$error bold")
    note = f": {line(proof.note).plain}" if proof.note else "" if proof.verified else ": the replies differ"
    pairs: list[tuple[str, Part]] = [
        ("proof", join(state, note, (f", in {duration(proof.seconds)}", "$quiet"))),
        ("", _compared(proof)),
        ("asked", shown(proof.prompt)),
        ("replied", shown(proof.reply)),
    ]
    return pairs if proof.verified else [*pairs, ("expected", shown(proof.expected))]


def _compared(proof: Verification) -> str:
    """How far the package, loaded back, is from the run: by the log-probabilities of the same tokens."""
    if proof.difference is None or proof.largest is None:
        return ""
    allowed = f"; {proof.tolerance:g} allowed" if proof.tolerance is not None else ""
    return (
        f"loaded back in a fresh process, log-probabilities of {proof.tokens} tokens in {proof.probes} probes "
        f"differ by {proof.difference:.2g} on average, {proof.largest:.2g} at most{allowed}"
    )


def size(count: int) -> str:
    """``812 B``, ``1.4 kB``, ``8.5 MB``."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}"
    return f"{count} B"
