"""Contents of a package: what the adapter needs to be loaded, the documents, and the evidence beside them.

adapter_config.json  adapter_model.safetensors       the adapter; its config names the base model, not a place
tokenizer.json ...  chat_template.jinja              the tokenizer that trained, with its pinned template
generation_config.json                               greedy, its end tokens, as many tokens as were evaluated
README.md  PERSONA_SPEC.md  examples/                the model card, the persona, probes with both replies
evidence/                                            evaluation, gates, suites, labels, training steps, the spec
package.json                                         what was packed, with the SHA-256 of every file
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from studio.errors import UserError
from studio.evaluate import Evaluation, Labels
from studio.evaluate.report import FILE as EVALUATION_FILE
from studio.evaluate.suites.report import FILE as SUITES_FILE
from studio.files import write_atomic
from studio.judge import Agreement
from studio.package.verify import in_turn
from studio.spec import LoadedSpec, persona_prompt
from studio.train import SMOLLM2
from studio.train.run import METRICS_FILE
from studio.train.smollm2 import HUB_ID
from studio.train.types import Run, TrainPlan

CONFIG, WEIGHTS, GENERATION = "adapter_config.json", "adapter_model.safetensors", "generation_config.json"
TOKENIZER = (
    *("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "special_tokens_map.json"),
    *("tokenizer.model", "vocab.json", "merges.txt", "added_tokens.json"),
)
SAMPLES = 20
_AGAIN = "train it again: studio train SPEC --seed N"
_LICENCE = re.compile(r"^license:\s*[\"']?([\w.+-]+)", re.MULTILINE)
_KNOWN = {HUB_ID: "apache-2.0"}


def is_folder(plan: TrainPlan) -> bool:
    """Whether the run was trained on a model in a folder of this machine."""
    return plan.base_model != SMOLLM2 and Path(plan.base_path).is_absolute()


def base_name(plan: TrainPlan) -> str:
    """The hub id, or the name of the folder without its place: that is not there where the package is used."""
    return Path(plan.base_path).name if is_folder(plan) else public_name(plan.base_model)


def public_name(model: str) -> str:
    """A base model as a spec names it, without a place of this machine."""
    if model == SMOLLM2:
        return HUB_ID
    return Path(model).name if model.startswith(("/", ".", "~")) else model


def base_licence(plan: TrainPlan) -> str:
    """The licence that the base model's own card names, where that is on this machine; empty where it is not known."""
    name, folder = base_name(plan), Path(plan.base_path)
    card = folder / "README.md" if folder.is_dir() else _cached_card(name)
    try:
        head = card.read_text(encoding="utf-8").split("\n---", 1)[0] if card else ""
    except (OSError, UnicodeDecodeError):
        head = ""
    found = _LICENCE.search(head) if head.startswith("---") else None
    return found[1] if found else _KNOWN.get(name, "")


def _cached_card(repo: str) -> Path | None:
    """Of a model of the hub, in the local cache."""
    if find_spec("huggingface_hub") is None:
        return None
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(repo, "README.md")
    except HFValidationError:
        return None
    return Path(found) if isinstance(found, str) else None


def copy_adapter(run: Run, folder: Path) -> None:
    """The adapter; its config names the base model, not its place on this machine."""
    source = _adapter_folder(run)
    _copy(source / WEIGHTS, folder / WEIGHTS)
    config = _json_object(source / CONFIG, "the adapter's config is damaged")
    _write_json(folder / CONFIG, {**config, "base_model_name_or_path": base_name(run.plan)})


def copy_tokenizer(run: Run, folder: Path, max_tokens: int) -> None:
    """The tokenizer that the run was trained with, its chat template pinned, and how replies were generated.

    ``max_tokens`` is of a reply, as it was evaluated.
    """
    source = _adapter_folder(run)
    names = [name for name in TOKENIZER if (source / name).exists()]
    if "tokenizer_config.json" not in names or not (source / GENERATION).is_file():
        missing = "end tokens" if "tokenizer_config.json" in names else "tokenizer files"
        raise UserError(f"the run has no {missing}", where=str(source), remedy=_AGAIN)
    for name in names:
        _copy(source / name, folder / name)
    generation = _json_object(source / GENERATION, "the run's generation config is damaged")
    _write_json(folder / GENERATION, {**generation, "do_sample": False, "max_new_tokens": max_tokens})


def write_samples(evaluation: Evaluation, folder: Path) -> None:
    """Held-out probes with both replies and their scores, one a line: of each category in turn, up to ``SAMPLES``."""
    rows = [
        {
            "category": result.probe.category,
            "messages": [message.model_dump() for message in result.probe.messages],
            "base": result.base,
            "tuned": result.tuned,
            "base_score": result.base_judgement.total,
            "tuned_score": result.tuned_judgement.total,
            "winner": result.comparison.winner if result.comparison else None,
        }
        for result in in_turn(evaluation.results)[:SAMPLES]
    ]
    _write_lines(folder / "examples" / "sample_interactions.jsonl", rows)


def write_evidence(
    loaded: LoadedSpec, run: Run, evaluation: Evaluation, labels: Labels, agreement: Agreement | None, folder: Path
) -> None:
    """``evidence/``: what the verdict rests on, so that somebody else can come to it, or to another one.

    ``labels`` are people's of this run; those of other replies than the evaluated ones are left out, and so are the
    names of those who gave them. ``folder`` is the package's.
    """
    evidence = folder / "evidence"
    named = evaluation.model_copy(update={"base_model": base_name(run.plan)})
    write_atomic(evidence / EVALUATION_FILE, named.model_dump_json(indent=2) + "\n")
    gates = evaluation.model_dump(mode="json", include={"trial", "scope", "looks", "gates", "shown"})
    _write_json(evidence / "gates.json", {"verdict": evaluation.verdict, **gates})
    if agreement is not None:
        write_atomic(evidence / "agreement.json", agreement.model_dump_json(indent=2) + "\n")
    given = [labels.reply(result, side) for result in evaluation.results for side in ("base", "tuned")]
    votes = [labels.pair(result) for result in evaluation.results]
    for name, said in (("labels.jsonl", given), ("votes.jsonl", votes)):
        if rows := [one.model_dump(mode="json", exclude={"by"}) for one in said if one is not None]:
            _write_lines(evidence / name, rows)
    suites = _adapter_folder(run).parent / SUITES_FILE
    if evaluation.suites and suites.is_file():
        _copy(suites, evidence / SUITES_FILE)
    metrics = _adapter_folder(run).parent / METRICS_FILE
    if metrics.is_file():
        _copy(metrics, evidence / METRICS_FILE)
    write_atomic(evidence / "spec" / "spec.yaml", _spec_text(loaded, run))
    beside = loaded.spec.beside
    for name in filter(None, (beside.context, beside.profiles, beside.recorded, beside.labels)):
        source = loaded.path.parent / name.strip()
        if source.is_file():  # what was kept with a run is without recordings and labels
            target = evidence / "spec" / name.strip()
            target.parent.mkdir(parents=True, exist_ok=True)
            _copy(source, target)


def _spec_text(loaded: LoadedSpec, run: Run) -> str:
    """The spec's file, without the place of a base model's folder."""
    source = loaded.path.read_text(encoding="utf-8")
    return source.replace(run.plan.base_model, base_name(run.plan)) if is_folder(run.plan) else source


def spec_document(loaded: LoadedSpec, run: Run) -> str:
    """``PERSONA_SPEC.md``: the persona in words, then the file it comes from."""
    note = " (but for the place of the base model's folder)" if is_folder(run.plan) else ""
    return (
        f"# {loaded.spec.name}: persona spec\n\nsha256 `{loaded.hash}`\n\n"
        f"## In words\n\n{persona_prompt(loaded.spec)}\n\n"
        f"## The file{note}\n\n{fenced(_spec_text(loaded, run), 'yaml')}\n"
    )


def fenced(text: str, language: str) -> str:
    """A code block of Markdown, with a fence that is longer than any in ``text``."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def _copy(source: Path, target: Path) -> None:
    """Readable as the rest of the package, whatever the source is."""
    shutil.copyfile(source, target)
    target.chmod(0o644)


def _adapter_folder(run: Run) -> Path:
    folder = Path(run.finished.adapter_path) if run.finished else None
    if folder is None or not all((folder / name).exists() for name in (CONFIG, WEIGHTS)):
        remedy = "train it to its end: studio train SPEC"
        raise UserError(f"run {run.plan.run_id} has no whole adapter", where=str(folder or ""), remedy=remedy)
    return folder


def _json_object(path: Path, fault: str) -> dict[str, object]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        raise UserError(fault, where=str(path), remedy=_AGAIN) from None


def _write_json(path: Path, value: object) -> None:
    write_atomic(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _write_lines(path: Path, rows: Iterable[object]) -> None:
    write_atomic(path, "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows))
