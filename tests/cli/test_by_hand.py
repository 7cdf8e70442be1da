"""``studio triage new`` and ``import``: a dataset of one's own, with no model at hand."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from studio.store import Filter
from tests import small_persona
from tests.cli.making import Ended, Studio, one_line

SCENARIO = "A boat calls"


def turns(number: int) -> list[dict[str, str]]:
    words = ("anchor", "buoy", "chart", "davit", "ebb", "fender", "gale", "halyard")
    return [
        {"role": "user", "content": f"Where do I find the {words[number]}, over?"},
        {"role": "assistant", "content": f"The {words[number - 1]} locker has it, third on your left."},
    ]


def lines(count: int, **more: object) -> str:
    return "".join(json.dumps({"messages": turns(number), **more}) + "\n" for number in range(count))


def triage(studio: Studio, command: str, *arguments: object) -> Ended:
    return studio("triage", command, studio.spec, *arguments, "--workspace", studio.root)


def pending(studio: Studio) -> int:
    workspace = studio.workspace()
    try:
        return workspace.examples.count(Filter(status="pending"))
    finally:
        workspace.close()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)


def test_one_is_written_with_options_and_accepted(studio: Studio) -> None:
    written = ("--scenario", SCENARIO, "--user", "Any berth free?", "--assistant", "Number nine, by the crane.")
    told = triage(studio, "new", *written)
    assert told.status == 0 and told.out.startswith("added: ") and "studio triage accept" in told.err
    assert pending(studio) == 1
    assert triage(studio, "new", *written, "--accept").out.startswith("known already: ")
    assert pending(studio) == 0
    assert studio.status(told.out.split()[-1]) == "accepted"


def test_a_page_is_written_in_the_editor(studio: Studio, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = f"scenario: {SCENARIO}\nuser: Any berth free?\nassistant: Number nine.\n"
    editor = tmp_path / "editor.py"
    editor.write_text(f"import pathlib, sys\npathlib.Path(sys.argv[1]).write_text({page!r})\n")
    monkeypatch.setenv("VISUAL", f"{sys.executable} {editor}")
    at_a_terminal(monkeypatch)
    assert triage(studio, "new").status == 0
    assert pending(studio) == 1


def test_what_was_written_in_the_editor_is_never_lost(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    editor = tmp_path / "editor.py"
    editor.write_text("import pathlib, sys\npathlib.Path(sys.argv[1]).write_text('scenario: Nowhere\\nuser: hi')\n")
    monkeypatch.setenv("VISUAL", f"{sys.executable} {editor}")
    at_a_terminal(monkeypatch)
    told = triage(studio, "new")
    assert told.status == 2
    kept = Path(told.err.rsplit("--file ", 1)[1].strip().rstrip(")"))
    assert kept.read_text() == "scenario: Nowhere\nuser: hi"
    kept.write_text(f"scenario: {SCENARIO}\nuser: hi\nassistant: Harbour control here.")
    assert triage(studio, "new", "--file", kept).status == 0
    kept.unlink()


def test_without_a_terminal_or_a_text_it_says_what_to_give(studio: Studio) -> None:
    assert one_line(told := triage(studio, "new")) and "--user and --assistant" in told.err
    assert one_line(triage(studio, "new", "--scenario", SCENARIO, "--user", "Hello?"))
    wrong = triage(studio, "new", "--scenario", "A boat cries", "--user", "a", "--assistant", "b")
    assert one_line(wrong) and "one of: A boat calls" in wrong.err


def test_a_file_is_imported_whole_after_a_dry_run_and_accepted(studio: Studio, tmp_path: Path) -> None:
    file = tmp_path / "talks.jsonl"
    file.write_text(lines(5))
    dry = triage(studio, "import", file, "--scenario", SCENARIO, "--dry-run")
    assert dry.status == 0 and dry.out == "nothing is stored: 5 added\n" and pending(studio) == 0
    assert triage(studio, "import", file, "--scenario", SCENARIO).out == "5 added\n"
    assert pending(studio) == 5
    told = triage(studio, "import", file, "--scenario", SCENARIO, "--accept", "--json").json
    assert told["counts"] == {"known": 5} and pending(studio) == 0
    assert studio("triage", "undo", studio.spec, "--workspace", studio.root).status == 0
    assert pending(studio) == 5, "it was one step"


def test_a_wrong_line_imports_nothing_and_is_named(studio: Studio, tmp_path: Path) -> None:
    file = tmp_path / "talks.jsonl"
    file.write_text(lines(2, scenario=SCENARIO) + '{"messages": []}\n')
    told = triage(studio, "import", file)
    assert one_line(told) and "talks.jsonl:3: " in told.err
    assert pending(studio) == 0
    assert one_line(triage(studio, "import", tmp_path / "none.jsonl"))


def test_a_page_and_lines_are_read_from_stdin(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    def typed(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    typed(json.dumps(turns(6)))
    assert triage(studio, "new", "--scenario", SCENARIO, "--file", "-").status == 0
    typed(lines(3, scenario=SCENARIO))
    assert triage(studio, "import", "-").out == "3 added\n"
    assert pending(studio) == 4


def test_a_persona_without_any_model_gets_its_dataset_by_hand(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    spec = small_persona.copy_to(tmp_path / "mine", recorded=False)
    talks = small_persona.FOLDER / "wren.recorded.jsonl"
    studio = Studio(tmp_path, capfd, spec)
    assert triage(studio, "import", talks, "--accept").out == "24 added\n"
    told = studio("generate", spec, "--workspace", studio.root)
    assert told.status == 0 and "kept: 24 accepted" in told.err, "every category has its target, and nobody is called"
    exported = studio("triage", "export", spec, "--workspace", studio.root, "--json").json
    assert exported["count"] == 24
