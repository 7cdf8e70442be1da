"""The dataset card: what the data is, where it comes from, who judged it and what was left out.

In the layout of the Hugging Face dataset cards (Gebru et al., 2021, Datasheets for Datasets). The licence is whoever's
who publishes it: the field waits as a comment.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import mean
from typing import TYPE_CHECKING

from studio.dataset.read import Item
from studio.dataset.snapshots import Snapshot
from studio.dataset.splits import Side
from studio.spec import LoadedSpec
from studio.text.inert import inert_line

if TYPE_CHECKING:
    from studio.judge import Agreement

CARD = "README.md"
ORIGINS = {
    "generated": "written by an author for a scenario and a person",
    "hand": "written by hand",
    "chat": "kept from a chat",
    "asked": "an answer of a chatbot that was asked, not as expected",
    "imported": "imported from a file",
}
LEFT_OUT = {
    "duplicates": "the same conversation again",
    "stale": "judged by another version of the spec",
    "unusable": "no conversation to learn from",
    "held_out": "says what is held out to measure with",
}
_SIZES = ((1000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def dataset_card(
    loaded: LoadedSpec, head: Snapshot, items: Sequence[tuple[Item, Side]], agreement: Agreement | None = None
) -> str:
    """``README.md`` of the folder; ``agreement`` is the judge's with people, where it is known."""
    spec = loaded.spec
    parts = [
        _front(loaded, items),
        f"# {inert_line(spec.name)}: conversations",
        inert_line(spec.purpose),
        f"{len(items)} conversations of a user with this persona, each accepted by the judge or by a person. "
        "`messages` holds the turns, the other columns where a conversation comes from.",
        "## Counts\n\n" + _counts(items),
        "## Where they come from\n\n" + _origins(items),
        "## Who judged\n\n" + _judged(items, agreement),
        "## What is not in it\n\n" + _left_out(head),
        "## Sides\n\n" + _sides(head),
        "## Lineage\n\n" + _lineage(loaded, head),
    ]
    return "\n\n".join(parts) + "\n"


def _front(loaded: LoadedSpec, items: Sequence[tuple[Item, Side]]) -> str:
    there = {side for _, side in items}
    size = next((name for most, name in _SIZES if len(items) < most), "n>1M")
    lines = ["---", f"pretty_name: {json.dumps(inert_line(loaded.spec.name))}"]
    lines += ["# license: yours to choose, as https://huggingface.co/docs/hub/repositories-licenses names it"]
    lines += ["language:", f"- {json.dumps(loaded.spec.language)}", "task_categories:", "- text-generation"]
    lines += ["size_categories:", f"- {size}", "tags:", "- persona", "- conversational", "- persona-studio"]
    lines += ["configs:", "- config_name: default", "  data_files:"]
    for side in ("train", "validation"):
        if side in there:
            lines += [f"  - split: {side}", f"    path: data/{side}-*.parquet"]
    return "\n".join([*lines, "---"])


def _counts(items: Sequence[tuple[Item, Side]]) -> str:
    counts: dict[tuple[str, str], Counter[Side]] = {}
    for item, side in items:
        counts.setdefault((item.text.category, item.text.scenario), Counter())[side] += 1
    rows = [
        (category, scenario, str(n["train"]), str(n["validation"]))
        for (category, scenario), n in sorted(counts.items())
    ]
    total = Counter(side for _, side in items)
    return _table(
        ("category", "scenario", "train", "validation"),
        [*rows, ("all", "", str(total["train"]), str(total["validation"]))],
    )


def _origins(items: Sequence[tuple[Item, Side]]) -> str:
    found = Counter((item.text.origin, item.text.author) for item, _ in items)
    rows = [(f"{ORIGINS[origin]}", author, str(n)) for (origin, author), n in sorted(found.items())]
    people = len({item.text.person_id for item, _ in items})
    return f"{_table(('origin', 'author', 'conversations'), rows)}\n\n{people} different people ask."


def _judged(items: Sequence[tuple[Item, Side]], agreement: Agreement | None) -> str:
    decided = [item.text for item, _ in items if item.text.decision is not None]
    edited = sum(text.decision == "edit" for text in decided)
    told = (
        f"A person decided on {len(decided)} of {len(items)}, and edited {edited} of them; the others passed the judge."
    )
    kappas = [one.kappa for one in agreement.traits.values() if one.kappa is not None] if agreement else []
    if agreement is None or not kappas:
        return f"{told} How far the judge agrees with people was not measured."
    rows = [
        (name, "-" if one.kappa is None else f"{one.kappa:.2f} [{one.low:.2f}, {one.high:.2f}]", str(one.n))
        for name, one in agreement.traits.items()
    ]
    mean_kappa = f"quadratic-weighted kappa {mean(kappas):.2f} on average over {agreement.n} replies ({agreement.how})"
    table = _table(("trait", "kappa [95 %]", "replies"), rows)
    return f"{told} `{inert_line(agreement.judge)}` agrees with people: {mean_kappa}.\n\n{table}"


def _left_out(head: Snapshot) -> str:
    told = [f"- {count}: {LEFT_OUT[why]}" for why, count in head.left_out.items() if count]
    return "\n".join(told) or "Everything that was accepted is in it; what is held out to measure with never was."


def _sides(head: Snapshot) -> str:
    if not head.validation:
        return "All are for training: no validation side was asked for."
    return (
        f"{head.validation} of {head.train + head.validation} are the validation side, drawn scenario by scenario. "
        "Near-duplicates, answers to one request and what one person says stand on one side."
    )


def _lineage(loaded: LoadedSpec, head: Snapshot) -> str:
    rows = [
        ("snapshot", head.id),
        ("SHA-256 of ids, digests and sides", head.hash),
        ("taken", f"{head.created:%Y-%m-%d %H:%M} UTC"),
        ("spec hash", head.spec_hash),
    ]
    return _table(("what", "value"), rows) + f"\n\nMade with Persona Studio from `{inert_line(loaded.path.name)}`."


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(inert_line(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)
