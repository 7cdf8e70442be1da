"""Filling the package folder, file by file."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

from studio.errors import UserError
from studio.evaluate.report import FILE as EVALUATION_FILE
from studio.evaluate.types import Evaluation, ProbeResult
from studio.files import write_atomic
from studio.package.base import base_name, is_folder
from studio.package.card import model_card
from studio.spec import LoadedSpec, persona_prompt
from studio.train.types import Run

ADAPTER = ("adapter_config.json", "adapter_model.safetensors")
TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "special_tokens_map.json",
    "tokenizer.model",
    "vocab.json",
    "merges.txt",
    "added_tokens.json",
)
SAMPLES = 20
_AGAIN = "train it again: studio train SPEC --seed N"


def copy_adapter(run: Run, folder: Path) -> None:
    """The adapter; its config names the base model, not its place on this machine."""
    source = _adapter_folder(run)
    _copy(source / ADAPTER[1], folder / ADAPTER[1])
    try:
        config = dict(json.loads((source / ADAPTER[0]).read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        raise UserError("the adapter's config is damaged", where=str(source / ADAPTER[0]), remedy=_AGAIN) from None
    config["base_model_name_or_path"] = base_name(run.plan)
    write_atomic(folder / ADAPTER[0], json.dumps(config, indent=2) + "\n")


def copy_tokenizer(run: Run, folder: Path) -> None:
    """The tokenizer that the run was trained with."""
    source = _adapter_folder(run)
    names = [name for name in TOKENIZER if (source / name).exists()]
    if "tokenizer_config.json" not in names:
        raise UserError("the run has no tokenizer files", where=str(source), remedy=_AGAIN)
    for name in names:
        _copy(source / name, folder / name)


def write_documents(loaded: LoadedSpec, run: Run, evaluation: Evaluation, folder: Path) -> None:
    """The model card, the spec in words and as a file, and the evaluation whole."""
    named = evaluation.model_copy(update={"base_model": base_name(run.plan)})
    write_atomic(folder / "README.md", model_card(loaded, run, evaluation))
    write_atomic(folder / "PERSONA_SPEC.md", spec_document(loaded, run))
    write_atomic(folder / EVALUATION_FILE, named.model_dump_json(indent=2) + "\n")


def write_samples(evaluation: Evaluation, folder: Path) -> None:
    """Held-out probes with both replies and their scores, one a line: of each category in turn, up to ``SAMPLES``."""
    lines = [
        json.dumps(
            {
                "category": result.probe.category,
                "messages": [message.model_dump() for message in result.probe.messages],
                "base": result.base,
                "tuned": result.tuned,
                "base_score": result.base_judgement.total,
                "tuned_score": result.tuned_judgement.total,
                "winner": result.comparison.winner if result.comparison else None,
            },
            ensure_ascii=False,
        )
        for result in _in_turn(evaluation.results)[:SAMPLES]
    ]
    write_atomic(folder / "examples" / "sample_interactions.jsonl", "\n".join(lines) + "\n")


def _in_turn(results: Sequence[ProbeResult]) -> list[ProbeResult]:
    """The first of each category, then the second of each, and so on."""
    categories: dict[str, list[ProbeResult]] = {}
    for result in results:
        categories.setdefault(result.probe.category, []).append(result)
    return [one for row in zip_longest(*categories.values()) for one in row if one is not None]


def spec_document(loaded: LoadedSpec, run: Run) -> str:
    """``PERSONA_SPEC.md``: the persona in words, then the file it comes from."""
    spec, note = loaded.spec, ""
    source = loaded.path.read_text(encoding="utf-8")
    if is_folder(run.plan):
        source = source.replace(run.plan.base_model, base_name(run.plan))
        note = " (but for the place of the base model's folder)"
    fence = "`" * max(3, _longest_run(source, "`") + 1)
    return (
        f"# {spec.name}: persona spec\n\nsha256 `{loaded.hash}`\n\n## In words\n\n{persona_prompt(spec)}\n\n"
        f"## The file{note}\n\n{fence}yaml\n{source.rstrip()}\n{fence}\n"
    )


def is_whole(folder: Path, files: Mapping[str, str]) -> bool:
    """Whether ``folder`` still holds ``files`` as they were packed, by their SHA-256."""
    found = checksums(folder)
    return all(found.get(name) == digest for name, digest in files.items())


def checksums(folder: Path) -> dict[str, str]:
    """File (relative, POSIX) -> SHA-256 hex, of everything in ``folder``, in order of name."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _copy(source: Path, target: Path) -> None:
    """Readable as the rest of the package, whatever the source is."""
    shutil.copyfile(source, target)
    target.chmod(0o644)


def _adapter_folder(run: Run) -> Path:
    folder = Path(run.finished.adapter_path) if run.finished else None
    if folder is None or not all((folder / name).exists() for name in ADAPTER):
        remedy = "train it to its end: studio train SPEC"
        raise UserError(f"run {run.plan.run_id} has no whole adapter", where=str(folder or ""), remedy=remedy)
    return folder


def _longest_run(text: str, character: str) -> int:
    longest = run = 0
    for each in text:
        run = run + 1 if each == character else 0
        longest = max(longest, run)
    return longest
