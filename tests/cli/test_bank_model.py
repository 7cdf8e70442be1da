"""``studio bank write`` and its like over HTTP, ``dedup`` and ``report`` over files: what a shell sees."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest

from studio.bank.export import export_people
from studio.bank.formats import read_people
from studio.bank.person import to_spb
from studio.llm.settings import PATIENCE_VARIABLE
from tests.bank.making import answer, person
from tests.cli.making import Studio, one_line
from tests.llm.fake_server import FakeServer


@contextmanager
def serving(server: FakeServer) -> Iterator[str]:
    """The server in a thread with a loop of its own, for commands that run in this one."""
    loop, url = asyncio.new_event_loop(), ""
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        url = asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(10).url
        yield url
    finally:
        asyncio.run_coroutine_threadsafe(server.__aexit__(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def at(studio: Studio, url: str) -> list[object]:
    return [studio.spec, "--workspace", studio.root, "--endpoint", url, "--model", "fake", "--language", "any"]


def test_people_are_written_by_a_job_and_told_with_cost_and_reasons(studio: Studio) -> None:
    server = FakeServer(answer)
    with serving(server) as url:
        told = studio("bank", "write", *at(studio, url), "-n", "12", "--json")
        assert told.status == 0, told.err
        found = told.json
        assert (found["done"], found["complete"], found["cost_usd"], found["people"]) == (12, True, 0.0, 12)
        assert found["calls"] == len(server.requests) and Path(found["journal"]).exists()
        assert "12 of 12 people by write" in told.err
        again = studio("bank", "write", *at(studio, url), "-n", "14")
    assert again.status == 0 and again.out.startswith("2 new of 14 people by write, ") and "no cost" in again.out
    listed = studio("bank", "list", studio.spec, "--workspace", studio.root, "--json").json
    assert len(listed) == 14 and {one["method"] for one in listed} == {"write"}


def test_relations_tell_of_each_hop_and_texts_and_profiles_go_the_same_way(studio: Studio, tmp_path: Path) -> None:
    text = tmp_path / "minutes.txt"
    text.write_text("Minutes of the harbour meeting: dredging, fees and the broken crane.")
    with serving(FakeServer(answer)) as url:
        spec, *rest = at(studio, url)
        told = studio("bank", "from-text", text, "--spec", spec, *rest, "-n", "3", "--who", "read", "--who", "like")
        assert told.status == 0 and told.out.startswith("2 people by from-text"), told.err
        told = studio("bank", "relations", *at(studio, url), "--hops", "2", "--budget", "3")
        assert told.status == 0, told.err
        assert [line.split(":")[0] for line in told.lines[:2]] == ["hop 1", "hop 2"]
        assert "drift of ages" in told.lines[0] and "Vendi" in told.lines[0]
        told = studio("bank", "profiles", *at(studio, url))
        assert told.status == 2 and "names no profiles" in told.err and "Traceback" not in told.err


@pytest.mark.parametrize("method", ["write", "relations", "enrich", "profiles"])
def test_without_a_model_each_says_what_it_needs_and_starts_no_job(studio: Studio, method: str) -> None:
    told = studio("bank", method, studio.spec, "--workspace", studio.root)
    assert one_line(told) and f"{method}: needs a model" in told.err and "--endpoint" in told.err
    assert not list(studio.root.glob("*/jobs/*/job.json"))


def test_a_server_that_is_not_there_ends_in_one_line_and_the_same_command_goes_on(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PATIENCE_VARIABLE, "0.02")  # minutes
    told = studio("bank", "write", *at(studio, "http://127.0.0.1:9/v1"), "-n", "2")
    last = told.err.splitlines()[-1]
    assert told.status == 2 and told.out == "" and last.startswith("studio: ") and "127.0.0.1:9" in last
    with serving(FakeServer(answer)) as url:
        assert studio("bank", "write", *at(studio, url), "-n", "2").status == 0


def people_file(path: Path) -> Path:
    people = [to_spb(person(number)) for number in range(30)]
    again = [to_spb(person(number, name=f"Other Name{number}")) for number in (3, 8)]
    path.write_text("".join(json.dumps(one) + "\n" for one in [*people, *again]))
    return path


def test_a_file_is_deduplicated_and_every_removal_keeps_reason_and_twin(studio: Studio, tmp_path: Path) -> None:
    file, kept, gone = people_file(tmp_path / "people.jsonl"), tmp_path / "kept.jsonl", tmp_path / "gone.jsonl"
    told = studio("bank", "dedup", file, "--out", kept, "--removed", gone, "--json")
    assert told.status == 0, told.err
    assert (told.json["people"], told.json["kept"], told.json["reasons"]) == (32, 30, {"words": 2})
    assert kept.read_text().splitlines() == file.read_text().splitlines()[:30]
    removals = [json.loads(line) for line in gone.read_text().splitlines()]
    assert [(one["id"], one["twin"], one["reason"]) for one in removals] == [("31", "4", "words"), ("32", "9", "words")]
    words = studio("bank", "dedup", file, "--engine", "words", "--json")
    assert words.json["reasons"] == {"words": 2}
    plain = studio("bank", "dedup", kept)
    assert plain.out.startswith("30 of 30 stay, 0 go")


@pytest.mark.parametrize("suffix", [".json", ".csv", ".txt", ".parquet"])
def test_who_stays_is_written_in_the_format_of_the_file(studio: Studio, tmp_path: Path, suffix: str) -> None:
    said = ["A diver who repairs cranes in winter, hates phones", "A notary who keeps bees on the roof of the court"]
    rows = [{"persona": one, "n": str(number)} for number, one in enumerate([*said, said[0]])]
    file, out = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    if suffix == ".json":
        file.write_text(json.dumps(rows))
    elif suffix == ".csv":
        file.write_text("persona,n\n" + "".join(f'"{row["persona"]}",{row["n"]}\n' for row in rows))
    elif suffix == ".txt":
        file.write_text("".join(f"{row['persona']}\n" for row in rows))
    else:
        arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        parquet.write_table(arrow.Table.from_pylist(rows), file)
    told = studio("bank", "dedup", file, "--out", out, "--json")
    assert told.status == 0 and told.json["kept"] == 2, told.err
    if suffix == ".json":
        assert json.loads(out.read_text()) == rows[:2]
    elif suffix == ".parquet":
        assert parquet.read_table(out).to_pylist() == rows[:2]
    elif suffix == ".txt":
        assert out.read_text().splitlines() == said
    else:
        assert (
            out.read_text().replace('"', "").split()
            == file.read_text().replace('"', "").split()[: -len(said[0].split())]
        )


@pytest.mark.skipif(find_spec("daft") is None, reason="daft is not installed")
@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_daft_keeps_whom_the_first_stage_keeps(studio: Studio, tmp_path: Path, suffix: str) -> None:
    file, kept, gone = people_file(tmp_path / "people.jsonl"), tmp_path / f"kept{suffix}", tmp_path / "gone.jsonl"
    if suffix == ".parquet":
        file = file.with_suffix(suffix)
        assert export_people(read_people(tmp_path / "people.jsonl"), file) == 32
    told = studio("bank", "dedup", file, "--engine", "daft", "--out", kept, "--removed", gone, "--json")
    assert told.status == 0, told.err
    assert (told.json["people"], told.json["kept"], told.json["reasons"]) == (32, 30, {"words": 2})
    assert told.json["crowds"] == 0 and "candidate pairs" in told.err
    assert [one.background for one in read_people(kept)] == [one.background for one in read_people(file)][:30]
    removals = [json.loads(line) for line in gone.read_text().splitlines()]
    assert [(one["id"], one["twin"], one["reason"], one["similarity"]) for one in removals] == [
        ("31", "4", "words", 1.0),
        ("32", "9", "words", 1.0),
    ]


def test_what_daft_cannot_do_is_told_before_anything_is_read(studio: Studio, tmp_path: Path) -> None:
    file = people_file(tmp_path / "people.jsonl")
    for wrong in ([], [file, "--quality"], [file, "--language", "en"], [file, "--remove"]):
        told = studio("bank", "dedup", *wrong, "--engine", "daft")
        assert told.status == 2 and one_line(told)
    table = tmp_path / "people.csv"
    table.write_text("persona\nA judge\n")
    told = studio("bank", "dedup", table, "--engine", "daft")
    assert told.status == 2 and "only JSON lines and Parquet can be read in parts" in told.err
    with file.open("a") as more:
        more.write('{"name": 4}\n')
    if find_spec("daft") is not None:
        told = studio("bank", "dedup", file, "--engine", "daft", "--out", tmp_path / "out.jsonl")
        assert told.status == 2 and "people.jsonl: line 33: name: expected a text, found 4" in told.err
        assert not (tmp_path / "out.jsonl").exists()


def test_twins_in_the_bank_are_removed_where_that_is_asked_for(studio: Studio) -> None:
    workspace = studio.workspace()
    for one in (person(1), person(2), person(2, id="again", name="Other Name")):
        workspace.examples.add_person(one)
    where = ["--spec", studio.spec, "--workspace", studio.root]
    told = studio("bank", "dedup", *where)
    assert told.status == 0 and "nothing was changed" in told.out and len(workspace.examples.people()) == 3
    told = studio("bank", "dedup", *where, "--remove")
    assert "1 were removed from the bank" in told.out
    assert [one.id for one in workspace.examples.people()] == ["p1", "p2"]
    workspace.close()


def test_two_banks_are_reported_side_by_side_as_table_picture_and_json(studio: Studio, tmp_path: Path) -> None:
    file, other = people_file(tmp_path / "people.jsonl"), tmp_path / "other.jsonl"
    other.write_text("".join(json.dumps(to_spb(person(number % 3, age=30 + number))) + "\n" for number in range(12)))
    picture = tmp_path / "out" / "diversity.svg"
    told = studio("bank", "report", file, "--against", other, "--svg", picture, "--json")
    assert told.status == 0, told.err
    one, two = told.json["banks"]
    assert (one["bank"], one["people"], two["people"]) == ("people.jsonl", 32, 12)
    assert one["measures"]["n"] == two["measures"]["n"] == 12
    assert one["measures"]["vendi"] > 2 * two["measures"]["vendi"]
    assert ElementTree.parse(picture).getroot().tag.endswith("svg")
    table = studio("bank", "report", file, "--against", other)
    assert table.status == 0 and "Vendi score" in table.out and "people in all" in table.out and "25-34" in table.out


def test_a_bank_without_anybody_and_a_broken_file_are_one_line(studio: Studio, tmp_path: Path) -> None:
    told = studio("bank", "report", "--spec", studio.spec, "--workspace", studio.root)
    assert one_line(told) and "nobody is in the bank" in told.err
    broken = tmp_path / "x.jsonl"
    broken.write_text("{broken\n")
    assert one_line(studio("bank", "report", broken)) and one_line(studio("bank", "dedup", broken))
    assert one_line(studio("bank", "dedup", people_file(tmp_path / "p.jsonl"), "--out", tmp_path / "p.csv"))
