"""Exporting what recipes made: Persona Hub's JSON lines, conversations as ChatML messages, or everything as Parquet.

Text is free of control characters in every format: a model is asked again where it writes one, and whatever a file of
people brought in is replaced.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any, Literal

from studio.errors import UserError, disk_error
from studio.files import replacing
from studio.generate.recipes.made import RecipeMade, RecipeRun, made_by
from studio.store import Documents
from studio.text.inert import inert

Shape = Literal["hub", "messages"]
SUFFIXES = (".jsonl", ".parquet")
_ROWS = 500
_COLUMNS = "id recipe shots world persona_id name persona number text answer solution final samples agree model".split()
_WHOLE = ("number", "samples", "agree")


def export_recipes(
    documents: Documents, runs: Iterable[RecipeRun], path: Path, *, shape: Shape = "hub", force: bool = False
) -> int:
    """Write what counts of ``runs`` as a stream to ``path``, by the ending of its name; how many there were.

    JSON lines have Persona Hub's fields (``input persona``, ``synthesized text``, ``description``), or with the shape
    ``messages`` what a user says and the assistant answers, without problems that nobody solved. Parquet has a column
    for everything. The file is there when it is complete. Raises :class:`UserError` where it cannot be written, is
    there already, or a recipe has no conversations.
    """
    runs, suffix = list(runs), path.suffix.lower()
    if suffix not in SUFFIXES:
        expected = " or ".join(SUFFIXES)
        raise UserError(f"a name that ends in {suffix or 'nothing'}", where=str(path), remedy=f"expected {expected}")
    if suffix == ".parquet" and shape == "messages":
        raise UserError("messages are JSON lines", where=str(path), remedy="name a file that ends in .jsonl")
    silent = next((run.recipe.name for run in runs if run.recipe.messages is None), None)
    if shape == "messages" and silent is not None:
        remedy = "leave --messages out"
        raise UserError("has requests and no answers, so no conversations", where=silent, remedy=remedy)
    if path.exists() and not force:
        raise UserError("it is there already", where=str(path), remedy="another name, or --force to replace it")
    try:
        with replacing(path) as file:
            if suffix == ".parquet":
                return _parquet(_each(documents, runs), file)
            each = _each(documents, runs)
            if shape == "hub":
                return _lines((_hub(run, one) for run, one in each), file)
            return _lines((_messages(run, one) for run, one in each if one.final or run.recipe.solve is None), file)
    except OSError as error:
        raise disk_error(error, path, doing="the export could not be written") from error


def _each(documents: Documents, runs: Iterable[RecipeRun]) -> Iterator[tuple[RecipeRun, RecipeMade]]:
    for run in runs:
        for one in made_by(documents, run):
            yield run, one


def _hub(run: RecipeRun, made: RecipeMade) -> dict[str, Any]:
    described = run.recipe.description
    return {"input persona": inert(made.persona), "synthesized text": inert(made.text), "description": described}


def _messages(run: RecipeRun, made: RecipeMade) -> dict[str, Any]:
    said = run.turns(made) or ("", "")
    return {
        "messages": [
            {"role": "user", "content": inert(said[0])},
            {"role": "assistant", "content": inert(said[1])},
        ]
    }


def _row(run: RecipeRun, made: RecipeMade) -> dict[str, Any]:
    found = made.model_dump(mode="json") | {"world": run.world, "persona_id": made.person_id}
    found["answer"] = json.dumps(found["answer"], ensure_ascii=False)
    return {name: inert(found[name]) if isinstance(found[name], str) else found[name] for name in _COLUMNS}


def _lines(found: Iterable[dict[str, Any]], file: IO[bytes]) -> int:
    count = 0
    for count, one in enumerate(found, 1):  # noqa: B007
        file.write(json.dumps(one, ensure_ascii=False).encode() + b"\n")
    return count


def _parquet(found: Iterable[tuple[RecipeRun, RecipeMade]], file: IO[bytes]) -> int:
    import pyarrow  # 0.2 s
    from pyarrow import parquet

    kinds = dict.fromkeys(_WHOLE, pyarrow.int32())
    schema = pyarrow.schema([(name, kinds.get(name, pyarrow.string())) for name in _COLUMNS])
    left, count = iter(found), 0
    try:
        with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
            while rows := [_row(*one) for one in islice(left, _ROWS)]:
                writer.write_batch(pyarrow.RecordBatch.from_pylist(rows, schema))
                count += len(rows)
    except pyarrow.ArrowException as error:
        raise OSError(str(error)) from None
    return count
