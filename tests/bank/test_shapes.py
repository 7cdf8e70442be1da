"""A file in each released shape, from its first line to a question: imported, de-duplicated, expanded two hops, drawn.

The records are ours; their fields, types and nesting are those of the releases.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.bank.file_dedup import dedup_people, read_all, write_kept
from studio.bank.formats import import_people, people_of_part, read_people, shape_of
from studio.bank.model_job import RelationsTask
from studio.bank.people import people_source
from studio.bank.person import person_text
from studio.bank.records import Bad, parts, records, records_of
from studio.spec import load
from studio.store import Workspace
from tests.bank.making import WordVectors, answer
from tests.bank.test_formats import written
from tests.bank.test_write import SPEC, asked, finished, made
from tests.llm.fake_server import FakeServer

WHO = (
    "A retired ferry engineer who restores brass clocks in a shed and distrusts anything with a screen",
    "An oncology nurse on night shifts who draws maps of invented islands to stay awake",
    "A beekeeper with a bad knee who teaches evening classes on soil and sells wax at the market",
    "A customs officer learning the accordion, worried about a brother who stopped writing",
    "A ferry engineer, retired, who restores brass clocks in a shed and distrusts anything with a screen",
)
"""The last says the first again."""
TOP = {f"{kind} domain (top {share} percent)": "Horology" for kind in ("general", "specific") for share in ("1", "0.1")}


def hub(kind: str, said: str) -> list[dict[str, Any]]:
    return [{"input persona": who, "synthesized text": said, "description": kind} for who in WHO]


def nemotron(who: str, number: int) -> dict[str, Any]:
    texts = ("professional", "sports", "arts", "travel", "culinary")
    return {
        "uuid": f"{number:032x}",
        **{f"{one}_persona": f"{who}, in {one}." for one in texts},
        "persona": who,
        "cultural_background": "Grew up by the water.",
        "skills_and_expertise": "Patience.",
        "skills_and_expertise_list": "['patience', 'brass']",
        "hobbies_and_interests": "Clocks.",
        "hobbies_and_interests_list": "['clocks']",
        "career_goals_and_ambitions": "None any more.",
        "sex": "Female",
        "age": 40 + number,
        "marital_status": "widowed",
        "education_level": "some_college",
        "bachelors_field": None,
        "occupation": "marine_engineer",
        "city": "Astoria",
        "state": "OR",
        "zipcode": "97103",
        "country": "USA",
    }


FILES: dict[str, list[dict[str, Any]]] = {
    "persona.jsonl": [{"persona": who} for who in WHO],
    "elite_personas.part1.jsonl": [{"persona": who} | TOP for who in WHO],
    "math.jsonl": hub("math problem", "Math problem: A pendulum beats 3600 times an hour. How many in a day?"),
    "instruction.jsonl": hub("instruction", "User prompt:\nWrite a label for a clock."),
    "reasoning.jsonl": hub("logical reasoning problem", "Three clocks, one of them wrong. Which?"),
    "knowledge.jsonl": hub("knowledge-rich text", "# Brass\nBrass is copper and zinc."),
    "npc.jsonl": hub("game NPC", "Name: Orla the Winder"),
    "tool.jsonl": hub("tool", '{"name": "wind_clock", "parameters": {}}'),
    "finepersonas.parquet": [
        {"id": f"<urn:uuid:{n}>", "persona": who, "labels": '["Craft", "Sea"]'} for n, who in enumerate(WHO)
    ],
    "mpersonas.jsonl": [
        {
            "id": n,
            "persona": who,
            "prompt": "Who would write this?",
            "messages": [{"role": "user", "content": "Who would write this?"}, {"role": "assistant", "content": who}],
            "lang": "en",
            "type": "write",
            "theme": "craft",
            "parent_persona_id": None if n == 0 else n - 1,
            "source_text": f"Text {n} on clocks.",
        }
        for n, who in enumerate(WHO)
    ],
    "nemotron.parquet": [nemotron(who, n) for n, who in enumerate(WHO)],
}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    opened = Workspace.open(tmp_path, load(SPEC).spec.slug)
    yield opened
    opened.close()


@pytest.mark.parametrize("name", FILES)
async def test_a_released_file_imports_dedups_expands_two_hops_and_asks(
    tmp_path: Path, workspace: Workspace, name: str
) -> None:
    path, out = written(tmp_path / name, FILES[name]), tmp_path / f"kept-{name}"
    removals, counts = dedup_people(read_all(path), WordVectors())
    assert (counts.kept, counts.reasons) == (4, {"words": 1})
    assert removals[-1] is not None and removals[-1].twin == "1"
    write_kept(path, out, [one is None for one in removals])
    assert [record for _, record in records(out)] == [record for _, record in records(path)][:4]
    reading = import_people(out, workspace.examples)
    assert (reading.people, reading.bad, reading.added) == (4, 0, 4)
    async with FakeServer(answer) as server:
        events = await made(load(SPEC), workspace, asked(server, tmp_path, RelationsTask(hops=2, budget=4)))
        said = " ".join(body["messages"][1]["content"] for body in server.requests)
    assert finished(events).done == 8
    people = {one.id: one for one in workspace.examples.people()}
    assert sorted(one.hop for one in people.values()) == [0] * 4 + [1] * 4 + [2] * 4
    assert all(who in said for who in WHO[:4])
    source, rng = people_source(load(SPEC), tuple(people.values())), random.Random(0)
    drawn = {source.draw(rng, "cards", "Lost card").id for _ in range(600)}
    assert people.keys() <= drawn
    imported = [one for one in people.values() if not one.hop]
    assert all(any(who in person_text(one) for who in WHO) for one in imported)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("size", [1, 700, 1 << 20])
def test_a_file_in_parts_has_the_same_people(tmp_path: Path, name: str, size: int) -> None:
    path = written(tmp_path / name, FILES[name])
    shape = shape_of(path)
    cut = list(parts(path, size))
    found = [one for part in cut for _, one in people_of_part(part, shape)]
    assert found == [one.model_copy(update={"id": ""}) for one in read_people(path)]
    counts = [len(list(people_of_part(part, shape))) for part in cut]
    assert [part.first for part in cut] == [sum(counts[:number]) for number in range(len(cut))]


def test_parts_of_lines_are_those_of_the_whole_with_bad_ones_blank_ones_and_marks(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    lines = [json.dumps({"persona": who}).encode() for who in WHO]
    lines[1:1] = [b"", b" \t", b"{broken", b'{"persona": "a\0b"}', b"7", b'{"persona": "\xff"}', b"\xe3\x80\x80"]
    path.write_bytes(b"\xef\xbb\xbf" + b"\r\n".join(lines) + b"\n\n" + lines[0])
    whole = list(records(path))
    assert sum(isinstance(one, Bad) for _, one in whole) == 5
    for size in (1, 50, 200, 1 << 20):
        cut = list(parts(path, size))
        assert [one for part in cut for one in records_of(part)] == whole
        assert cut[0].start == 0 and cut[-1].end == path.stat().st_size


def test_who_stays_is_written_byte_for_byte(tmp_path: Path) -> None:
    path, out = tmp_path / "x.jsonl", tmp_path / "y.jsonl"
    path.write_bytes(b'{"persona":"A judge",  "n": 1.50}\r\n\n{"persona": "\\u0041 baker"}\n{"persona": "A fox"}')
    write_kept(path, out, [True, True, False])
    assert out.read_bytes() == b'{"persona":"A judge",  "n": 1.50}\n{"persona": "\\u0041 baker"}\n'


def test_row_groups_of_parquet_are_kept_large(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    path, out = tmp_path / "x.parquet", tmp_path / "y.parquet"
    table = pyarrow.table({"persona": [f"A judge of {n} cases" for n in range(9000)], "n": range(9000)})
    parquet.write_table(table, path, row_group_size=2500)
    assert [(part.start, part.first) for part in parts(path, 1)] == [(0, 0), (1, 2500), (2, 5000), (3, 7500)]
    write_kept(path, out, [n % 3 == 0 for n in range(9000)])
    written_file = parquet.ParquetFile(out)
    assert written_file.num_row_groups == 1
    assert written_file.read().equals(table.filter(pyarrow.array([n % 3 == 0 for n in range(9000)])))
