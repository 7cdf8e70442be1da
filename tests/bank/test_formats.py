"""Files of people in every released shape: read as they are, refused with place and reason, kept whole or not."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.bank.compose import people
from studio.bank.export import export_people
from studio.bank.formats import import_people, read_people
from studio.bank.person import Person, to_spb
from studio.bank.records import LONGEST, Bad
from studio.errors import UserError
from studio.store import ExampleStore
from tests.full_disk import on_small_disk

SPB: list[dict[str, Any]] = [
    {
        "name": "Marta Iversen",
        "username": None,
        "age": 58,
        "traits": ["dry", "loyal", "exact"],
        "background": "A harbour pilot who keeps bees. She is writing down the names of every ship.",
        "chatting_style": "Full sentences, no emoji; "
        + "and goes on a little longer than a hundred and twenty characters " * 2,
        "model": "some/model",
    },
    {
        "name": "Jo 山田 “Quiet” Ödegård",
        "username": "jo_q",
        "age": 19,
        "traits": ["shy", "quick", "kind", "restless", "funny"],
        "background": "Studies maps.",
        "chatting_style": "lowercase",
        "model": "other",
    },
]
DOMAINS = {
    f"{kind} domain (top {share} percent)": "music" for kind in ("general", "specific") for share in ("1", "0.1")
}
NEMOTRON = {
    "uuid": "0" * 32,
    "professional_persona": "Mary works.",
    "persona": "Mary Alberti runs a ferry office and grows roses.",
    "sex": "Female",
    "age": 61,
    "occupation": "transportation_manager",
    "city": "Astoria",
    "state": "OR",
    "country": "USA",
    "hobbies_and_interests_list": "['roses']",
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ExampleStore]:
    opened = ExampleStore(tmp_path / "examples.db")
    yield opened
    opened.close()


def written(path: Path, value: Any) -> Path:
    """``value`` in the format of the path's ending."""
    if path.suffix == ".parquet":
        import pyarrow
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist(value), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(f"{json.dumps(one)}\n" for one in value))
    elif path.suffix == ".json":
        path.write_text(json.dumps(value))
    else:
        path.write_text(value)
    return path


@pytest.mark.parametrize("name", ["spb.json", "spb.jsonl"])
def test_the_synthetic_persona_bank_is_read_and_written_unchanged(tmp_path: Path, name: str) -> None:
    path, again = written(tmp_path / name, SPB), tmp_path / f"again-{name}"
    assert [to_spb(one) for one in read_people(path)] == SPB
    assert export_people(read_people(path), again) == 2
    back = again.read_text()
    assert (json.loads(back) if name.endswith("json") else [json.loads(line) for line in back.splitlines()]) == SPB
    assert "山田" in back and "\\u" not in back


def test_a_json_list_is_written_as_the_bank_lays_it_out(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    for some in (SPB, SPB[:1], []):
        path.write_text(json.dumps(some, indent=2, ensure_ascii=False) + "\n")
        before = path.read_text()
        export_people(list(read_people(path)), path)
        assert path.read_text() == before


@pytest.mark.parametrize(
    ("records", "shape", "expected"),
    [
        ([{"persona": "A mountain guide"}], "Persona Hub", {"background": "A mountain guide"}),
        ([{"persona": "A cellist"} | DOMAINS], "Persona Hub, elite", {"background": "A cellist"}),
        (
            [{"input persona": "A baker", "synthesized text": "Two loaves...", "description": "math"}],
            "Persona Hub, with what was made",
            {"background": "A baker"},
        ),
        (
            [{"id": "<urn:uuid:1>", "persona": "A nurse who paints", "labels": '["Care", "Art"]'}],
            "FinePersonas",
            {"background": "A nurse who paints"},
        ),
        (
            [
                {
                    "id": 7,
                    "persona": "Un pastor",
                    "lang": "es",
                    "type": "x",
                    "parent_persona_id": 3,
                    "source_text": "Las ovejas",
                }
            ],
            "mPersonas",
            {"background": "Un pastor", "language": "es", "text_hash": "6da943298ebed1d4"},
        ),
        (
            [{"persona_name": "Union lawyer", "persona_description": "Defends dockers."}],
            "CAMEL personas",
            {"role": "Union lawyer", "background": "Defends dockers."},
        ),
        (
            [NEMOTRON],
            "Nemotron-Personas",
            {
                "background": NEMOTRON["persona"],
                "age": 61,
                "profession": "transportation manager",
                "place": "Astoria, OR, USA",
            },
        ),
        ([SPB[0]], "Synthetic Persona Bank", {"name": "Marta Iversen", "traits": ("dry", "loyal", "exact")}),
    ],
)
@pytest.mark.parametrize("suffix", ["jsonl", "json", "parquet"])
def test_every_released_shape_is_known(
    tmp_path: Path, records: list[dict[str, Any]], shape: str, expected: dict[str, Any], suffix: str
) -> None:
    path = written(tmp_path / f"file.{suffix}", records)
    assert import_people(path).shape == shape
    (person,) = read_people(path)
    assert {name: getattr(person, name) for name in expected} == expected
    assert (person.source, person.method) == ("bank", "import")
    assert person.origin == "file." + {"jsonl": "jsonl:1", "json": "json:1", "parquet": "parquet:1"}[suffix]


def test_somebody_without_work_has_no_profession(tmp_path: Path) -> None:
    path = written(
        tmp_path / "n.parquet", [NEMOTRON | {"occupation": one} for one in ("not_in_workforce", "no_occupation", "")]
    )
    assert [one.profession for one in read_people(path)] == ["", "", ""]


def test_plain_text_has_a_person_a_line(tmp_path: Path) -> None:
    path = written(tmp_path / "people.txt", "\ufeffA beekeeper, 40\n\n  A judge \r\n")
    assert [(one.background, one.origin) for one in read_people(path)] == [
        ("A beekeeper, 40", "people.txt:1"),
        ("A judge", "people.txt:3"),
    ]


@pytest.mark.parametrize(("suffix", "mark"), [("csv", ","), ("csv", ";"), ("tsv", "\t")])
def test_a_table_is_read_by_its_header_and_the_fields_that_are_named(tmp_path: Path, suffix: str, mark: str) -> None:
    head = mark.join(("who", "years", "text", "kind"))
    rows = [
        mark.join(("Ada", "41", '"Sails, and\nsings; loudly"', '"dry;kind, exact"')),
        mark.join(("Bo", "", "Bakes", "")),
    ]
    path = written(tmp_path / f"t.{suffix}", "\n".join((head, *rows)) + "\n")
    ada, bo = read_people(path, ["text", "name=who", "age=years", "traits=kind"])
    assert (ada.name, ada.age, ada.background, ada.traits) == (
        "Ada",
        41,
        "Sails, and\nsings; loudly",
        ("dry", "kind", "exact"),
    )
    assert (bo.name, bo.age, bo.background, bo.traits) == ("Bo", None, "Bakes", ())


def test_an_unknown_shape_is_told_with_its_fields(tmp_path: Path) -> None:
    path = written(tmp_path / "x.jsonl", [{"bio": "A judge", "n": 3}])
    with pytest.raises(UserError, match=r"no shape that is known, by its fields: bio, n \(say which one"):
        import_people(path)
    assert [one.background for one in read_people(path, ["bio"])] == ["A judge"]
    with pytest.raises(UserError, match="there is no field 'text'; there are bio, n"):
        import_people(path, fields=["text"])
    with pytest.raises(UserError, match="no person has 'shoe'"):
        import_people(path, fields=["shoe=bio"])


BAD_LINES: list[tuple[str, str]] = [
    ("{", "no JSON: Expecting property name enclosed in double quotes"),
    ("[1]", "expected an object, found a list"),
    ("7", "expected an object, found a number"),
    ("null", "expected an object, found null"),
    ('{"persona": ""}', "no text of a person"),
    ('{"persona": " \\n "}', "no text of a person"),
    ('{"other": "x"}', "no text of a person"),
    ('{"persona": 4}', "background: expected a text, found 4"),
    ('{"persona": ["a"]}', 'background: expected a text, found ["a"]'),
    ('{"persona": "' + "x" * 4001 + '"}', "background: 4001 characters, expected at most 4000"),
    ("[" * 100_000, "no JSON: nested too deep or a number too long"),
    ('{"persona": ' + "9" * 5000 + "}", "no JSON: nested too deep or a number too long"),
    ('{"persona": "\udcff"}', "expected UTF-8"),
    ('{"persona": "a\0b"}', "holds a NUL byte"),
    ('{"persona": {"text": ["a", {"b": 1}]}}', 'background: expected a text, found {"text": ["a", {"b": 1}]}'),
    ('{"persona": "' + "x" * LONGEST + '"}', "longer than 1024 KiB"),
]


def test_a_dry_run_names_every_bad_line_and_why(tmp_path: Path) -> None:
    path, found = tmp_path / "hub.jsonl", list[Bad]()
    lines = ['{"persona": "A judge"}', *(line for line, _ in BAD_LINES), "", '{"persona": "A baker"}']
    path.write_bytes("\n".join(lines).encode(errors="surrogateescape"))
    reading = import_people(path, bad=found.append)
    assert (reading.people, reading.bad, reading.added) == (2, len(BAD_LINES), 0)
    assert [(one.place, one.why.split(": line")[0]) for one in found] == [
        (f"line {number}", why) for number, (_, why) in enumerate(BAD_LINES, 2)
    ]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"age": "old"}, 'age: expected years, found "old"'),
        ({"age": 41.5}, "age: expected years, found 41.5"),
        ({"age": True}, "age: expected years, found true"),
        ({"age": -1}, "age: expected years, found -1"),
        ({"age": float("nan")}, "age: expected years, found NaN"),
        ({"age": float("inf")}, "age: expected years, found Infinity"),
        ({"traits": {"a": 1}}, 'traits: expected a list of words, found {"a": 1}'),
        ({"traits": [1]}, "traits: expected a list of words, found [1]"),
        ({"name": {}}, "name: expected a text, found {}"),
        ({"background": None}, "no text of a person"),
    ],
)
def test_a_wrong_value_is_told(tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    path, found = written(tmp_path / "s.jsonl", [SPB[0], SPB[1] | changes]), list[Bad]()
    import_people(path, bad=found.append)
    assert [str(one) for one in found] == [f"line 2: {why}"]


def test_nothing_is_kept_where_anything_is_bad_unless_that_is_passed_over(tmp_path: Path, store: ExampleStore) -> None:
    path = written(tmp_path / "hub.jsonl", [{"persona": "A judge"}, {"persona": 1}, {"persona": "A baker"}])
    with pytest.raises(UserError, match="1 record is nobody, so none was kept"):
        import_people(path, store)
    assert store.people() == []
    reading = import_people(path, store, skip_bad=True)
    assert (reading.people, reading.bad, reading.added, reading.known) == (2, 1, 2, 0)
    assert [one.background for one in store.people()] == ["A judge", "A baker"]


def test_the_same_people_are_known_however_often_they_come(tmp_path: Path, store: ExampleStore) -> None:
    hub = written(tmp_path / "hub.jsonl", [{"persona": "A judge"}, {"persona": "A judge"}, {"persona": "A baker"}])
    assert [import_people(hub, store).added, import_people(hub, store).known] == [2, 3]
    assert import_people(written(tmp_path / "again.txt", "A baker\nA fox\n"), store).added == 1
    assert len(store.people()) == 3


def test_a_file_that_changes_while_it_is_read_is_not_kept(tmp_path: Path, store: ExampleStore) -> None:
    path = written(tmp_path / "hub.jsonl", [{"persona": f"A judge {number}"} for number in range(1000)])

    def meddle(count: int) -> None:
        with path.open("a") as file:
            file.write('{"persona": "An intruder"}\n')

    with pytest.raises(UserError, match="changed while it was read, so nothing was kept"):
        import_people(path, store, progress=meddle)
    assert store.people() == []


def test_everything_that_is_known_comes_back_from_parquet_and_full_json(tmp_path: Path, store: ExampleStore) -> None:
    known = [*people(2500, seed=3)]
    known[0] = known[0].model_copy(update={"method": "relations", "parents": ("a", "b"), "hop": 2, "extreme": True})
    for name in ("all.parquet", "all.jsonl", "all.json"):
        assert export_people(known, tmp_path / name, full=True) == 2500
        assert list(read_people(tmp_path / name)) == known
    assert import_people(tmp_path / "all.parquet", store).added == 2500
    assert store.people() == known


def test_a_whole_person_is_counted_as_such(tmp_path: Path) -> None:
    export_people(people(3), tmp_path / "three.json")
    with (tmp_path / "three.json").open("r+") as file:
        some = [*json.load(file), {**SPB[0]}]
    reading = import_people(written(tmp_path / "four.json", some))
    assert (reading.people, reading.whole) == (4, 3)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("p.parquet", b"PAR1 and nothing else PAR1", "cannot be read, no Parquet file"),
        ("p.parquet", b"", "cannot be read, no Parquet file"),
        ("l.json", b"[1, 2, 3]", "expected a list of people; item 1: expected an object, found a number"),
        ("l.json", b'[["a"], ["b"]]', "expected a list of people; item 1: expected an object, found a list"),
        (
            "l.json",
            b'{"people": [{"name": "A"}]}',
            "expected a JSON list of people, found an object with a list in 'people'",
        ),
        (
            "l.json",
            b'{\n "people": [\n {"name": "A"}]}',
            "expected a JSON list of people, or an object a line, found one object",
        ),
        ("l.json", b"", "expected a JSON list of people, found nothing"),
        ("l.json", b'"text"', "expected a JSON list of people, found something else"),
        ("l.json", b'[{"persona": "A"}', "item 2 is no JSON"),
        ("l.json", b'[{"persona": "A"}, {"perso', "item 2 is no JSON"),
        ("l.json", b'[{"persona": "A"}] [', "something follows the list of people"),
        ("l.json", b'[{"persona": "\xff"}]', "expected UTF-8"),
        ("l.json", b"[" * 200_000, "item 1 is nested too deep"),
        ("l.json", b'[{"persona": "' + b"x" * 3 * LONGEST, "item 1 is longer than 1024 KiB or no JSON"),
        ("c.csv", b'a,b\n"x', "no CSV: unexpected end of data"),
        ("c.csv", b"persona\n" + b"x" * (LONGEST + 5), "line 2: longer than 1024 KiB"),
        ("c.csv", b"persona\n\xff\n", "line 2: expected UTF-8"),
        ("u.jsonl", "{}".encode("utf-16"), "expected UTF-8, found UTF-16"),
        ("u.jsonl", '{"persona": "A"}\n'.encode("utf-16-le"), "expected UTF-8, found UTF-16"),
        ("u.json", '[{"persona": "A"}]'.encode("utf-16-be"), "expected UTF-8, found UTF-16 (iconv -f UTF-16"),
        ("u.csv", "persona\nA\n".encode("utf-16"), "expected UTF-8, found UTF-16"),
        ("n.txt", b"\0" * 500, "expected text, found NUL bytes"),
        ("n.csv", b"persona\nA\0B\n", "line 2: holds a NUL byte"),
        ("p.parquet", b"PAR1" + b"x" * 5000, "no Parquet file: Parquet magic bytes not found in footer"),
        ("x.doc", b"", "a name that ends in .doc"),
        ("none.jsonl", None, "cannot be read: No such file"),
    ],
)
def test_a_file_that_cannot_be_read_gets_one_line(
    tmp_path: Path, store: ExampleStore, name: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError) as told:
        import_people(tmp_path / name, store, skip_bad=True)
    assert said in str(told.value) and name in str(told.value)
    assert "\n" not in str(told.value) and len(str(told.value)) < 400
    assert store.people() == []


def test_a_parquet_file_that_is_damaged_in_the_middle_leaves_nothing(tmp_path: Path, store: ExampleStore) -> None:
    path = tmp_path / "p.parquet"
    export_people(people(3000, seed=1), path)
    whole = bytearray(path.read_bytes())
    middle = len(whole) * 2 // 3
    whole[middle : middle + 2000] = bytes(2000)
    path.write_bytes(whole)
    with pytest.raises(UserError, match="cannot be read"):
        import_people(path, store)
    assert store.people() == []


def test_a_parquet_file_that_was_cut_short_or_has_other_types_is_told(tmp_path: Path, store: ExampleStore) -> None:
    path = tmp_path / "p.parquet"
    export_people(people(300, seed=1), path)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(UserError, match=r"no Parquet file: .*\(it is damaged, or was cut short: get it again\)"):
        import_people(path, store)
    found = list[Bad]()
    written(path, [{"persona": ["a", "b"]}, {"persona": ["c"]}])
    import_people(path, bad=found.append)
    assert [str(one) for one in found] == [
        'row 1: background: expected a text, found ["a", "b"]',
        'row 2: background: expected a text, found ["c"]',
    ]
    assert store.people() == []


@pytest.mark.parametrize("suffix", ["jsonl", "json", "csv", "txt", "parquet"])
def test_what_is_no_file_is_told_and_never_waited_for(tmp_path: Path, store: ExampleStore, suffix: str) -> None:
    pipe, folder = tmp_path / f"pipe.{suffix}", tmp_path / f"folder.{suffix}"
    os.mkfifo(pipe)
    folder.mkdir()
    with pytest.raises(UserError, match="expected a file, found a pipe or a device"):
        import_people(pipe, store)
    with pytest.raises(UserError, match=r"expected a file, found a folder \(name one file of people\)"):
        import_people(folder, store)


def test_a_file_that_may_not_be_read_names_its_permissions(
    tmp_path: Path, store: ExampleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "p.jsonl", [{"persona": "A judge"}])

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "open", refused)  # root may read everything
    with pytest.raises(UserError, match=r"p\.jsonl: cannot be read: Permission denied \(look at the owner and"):
        import_people(path, store)


def test_columns_of_a_row_are_counted(tmp_path: Path) -> None:
    found = list[Bad]()
    import_people(
        written(tmp_path / "c.csv", "persona,n\nA judge,1\nA baker\nA fox,2,3\n\nA cat,4\n"), bad=found.append
    )
    assert list(map(str, found)) == ["line 3: expected 2 columns, found 1", "line 4: expected 2 columns, found 3"]


def test_a_line_of_300_megabytes_is_told_and_never_held(tmp_path: Path) -> None:
    path = tmp_path / "big.jsonl"
    with path.open("wb") as file:
        file.write(b'{"persona": "A judge"}\n{"persona": "')
        for _ in range(300):
            file.write(b"x" * 1_000_000)
        file.write(b'"}\n{"persona": "A baker"}\n')
    code = """
import resource, sys
from pathlib import Path
from studio.bank.formats import import_people
from studio.bank.records import parts, records_of
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(import_people(Path(sys.argv[1]), bad=print).people)
print(sum(1 for part in parts(Path(sys.argv[1]), 1 << 22) for _ in records_of(part)))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    told, count, in_parts, grown = done.stdout.splitlines()
    assert (told, count, in_parts) == ("line 2: longer than 1024 KiB", "2", "3")
    assert int(grown) < 30, "MiB"


def test_a_cell_of_parquet_that_is_too_long_is_passed_over(tmp_path: Path) -> None:
    rows = [{"persona": one, "n": None} for one in ("A judge", "x" * (LONGEST + 1), "A baker", None)]
    found = list[Bad]()
    reading = import_people(written(tmp_path / "p.parquet", rows), bad=found.append)
    assert reading.people == 2
    assert [str(one) for one in found] == ["row 2: longer than 1024 KiB", "row 4: no text of a person"]


def test_a_long_list_of_json_is_read_item_by_item(tmp_path: Path) -> None:
    path = tmp_path / "long.json"
    some = [{"persona": f"A judge of {number} cases, {'x' * 500}"} for number in range(3000)]
    path.write_text(json.dumps(some, indent=1))
    assert [one.background for one in read_people(path)] == [one["persona"] for one in some]


def test_what_cannot_be_written_is_told_and_the_old_file_stays(tmp_path: Path) -> None:
    old = tmp_path / "people.jsonl"
    old.write_text("as it was")

    def some() -> Iterator[Person]:
        yield from people(3)
        raise UserError("the store is gone")

    with pytest.raises(UserError, match="the store is gone"):
        export_people(some(), old)
    assert old.read_text() == "as it was" and [one.name for one in tmp_path.iterdir()] == ["people.jsonl"]
    with pytest.raises(UserError, match=r"a name that ends in \.xlsx"):
        export_people([], tmp_path / "people.xlsx")
    with pytest.raises(UserError, match="cannot be written"):
        export_people([], old / "below.json")


FULL_DISK = """
import sys
from pathlib import Path
from studio.bank.compose import people
from studio.bank.export import export_people
from studio.bank.formats import import_people
from studio.errors import UserError
from studio.store import ExampleStore
disk = Path(sys.argv[1])
(disk / "people.jsonl").write_text("as it was")
store = ExampleStore(disk / "examples.db")
store.add_people(people(3, seed=9))
try:
    import_people(Path(PATH), store)
except UserError as error:
    print(error)
print(len(store.people()))
try:
    export_people(people(20_000), disk / "people.jsonl")
except UserError as error:
    print(error)
print((disk / "people.jsonl").read_text(), sorted(one.suffix for one in disk.glob("*people*")))
"""


def test_a_full_disk_loses_nobody_and_keeps_nothing_by_halves(tmp_path: Path) -> None:
    export_people(people(6000), tmp_path / "many.jsonl", full=True)
    disk = tmp_path / "disk"
    disk.mkdir()
    lines = on_small_disk(FULL_DISK.replace("PATH", repr(str(tmp_path / "many.jsonl"))), disk)
    assert len(lines) == 4 and "full" in lines[0].lower()
    assert lines[1] == "3"
    assert lines[2].endswith("cannot be written: No space left on device")
    assert lines[3] == "as it was ['.jsonl']"
