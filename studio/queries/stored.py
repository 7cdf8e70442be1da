"""Stored queries: read from the workspace, drawn from evenly by topic, and written as JSON lines and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import ValidationError

from studio.errors import UserError
from studio.files import write_atomic
from studio.inference.run import Removed
from studio.queries.types import Arm, Query, query_kind
from studio.store import Documents
from studio.text.inert import inert

FIELDS = ("user_type", "background", "query", "topic")
"""Of an exported line, as published collections of synthetic queries have them."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet calculate a cell."""


def queries_of(documents: Documents, arm: Arm = "people", seed: int = 0) -> list[Query]:
    """Those that count, in the order in which they came."""
    return documents.readable(query_kind(arm, seed), Query)


def removed_of(documents: Documents, arm: Arm = "people", seed: int = 0) -> list[tuple[str, Query]]:
    """Those that do not, each with its reason."""
    found = []
    for one in documents.readable(f"{query_kind(arm, seed)} removed", Removed):
        try:
            found.append((one.reason, Query.model_validate_json(one.body, extra="ignore")))
        except ValidationError:  # another version's
            continue
    return found


def evenly(queries: Sequence[Query], n: int) -> list[Query]:
    """The first ``n``, taken from each topic in turn; the same ones of a larger collection that begins like this."""
    topics: dict[str, deque[Query]] = defaultdict(deque)
    for one in queries:
        topics[one.topic].append(one)
    taken: list[Query] = []
    while topics and len(taken) < n:
        for topic in tuple(topics):
            taken.append(topics[topic].popleft())
            if not topics[topic]:
                del topics[topic]
    return taken[:n]


def export_queries(queries: Iterable[Query], path: Path, *, full: bool = False) -> int:
    """Write them to ``path``, ``.jsonl`` or ``.csv`` by its name; how many. ``full``: all that is known of each, as
    JSON lines. Raises UserError for another name."""
    check_format(path, full=full)
    found = list(queries)
    write_atomic(
        path, _csv(found) if path.suffix.lower() == ".csv" else "".join(map(_line, found, [full] * len(found)))
    )
    return len(found)


def check_format(path: Path, *, full: bool = False) -> None:
    """Raises UserError where :func:`export_queries` would for the name."""
    kinds = (".jsonl",) if full else (".jsonl", ".csv")
    if path.suffix.lower() not in kinds:
        raise UserError("no such format of queries", where=str(path), remedy=f"name it {' or '.join(kinds)}")


def _line(query: Query, full: bool) -> str:
    said = query.model_dump(mode="json") if full else query.model_dump(mode="json", include=set(FIELDS))
    if not full:
        said = {name: said[name] for name in FIELDS}
    return json.dumps(said, ensure_ascii=False).translate({0x2028: "\\u2028", 0x2029: "\\u2029"}) + "\n"


def _csv(queries: Sequence[Query]) -> str:
    """With controls replaced, and nothing that a spreadsheet would take for a formula."""
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\n")
    rows.writerow(FIELDS)
    for query in queries:
        cells = (inert(getattr(query, name)) for name in FIELDS)
        rows.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return written.getvalue()
