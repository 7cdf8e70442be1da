"""Every command helps, and refuses bad input in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from studio import __version__
from studio.cli.main import COMMANDS, app
from tests.cli.making import SPECS, Studio, one_line, raw
from tests.tiny_model import tiny_base

GROUPS = {
    "dataset": "preferences snapshot list diff export import".split(),
    "triage": "new import list like accept reject edit regenerate undo redo review export".split(),
    "bank": [
        *"compose import export list clear write from-text relations enrich profiles dedup report effect".split(),
        *"talk talk-export study".split(),
    ],
    "queries": "make export vote report ask answers triage".split(),
    "recipes": "list show report review export".split(),
    "spec": "new check show".split(),
    "judge": "label score agreement disagreements".split(),
    "jobs": "list watch stop prune log".split(),
    "package": "pack verify".split(),
    "runs": "list show name note delete compare".split(),
    "workspace": "check backup restore".split(),
}
EVERY = [
    [],
    *([name] for name in sorted(COMMANDS)),
    *([group, name] for group, all_ in GROUPS.items() for name in all_),
]


@pytest.mark.parametrize("help_", ["--help", "-h"])
@pytest.mark.parametrize("command", EVERY, ids=" ".join)
def test_every_command_helps_with_an_example(studio: Studio, command: list[str], help_: str) -> None:
    told = studio(*command, help_)
    assert told.status == 0 and told.err == ""
    assert "Usage:" in told.out and "Example" in told.out and "studio" in told.out.split("Example", 1)[1]


def test_the_help_names_what_the_window_takes(studio: Studio) -> None:
    opened = studio("open", "--help").out
    options = {word for word in opened.split() if word.startswith("--")} - {"--help"}
    assert options and all(option in studio("--help").out for option in options)


def test_every_command_of_a_group_is_known_as_one() -> None:
    for group in app.registered_groups:
        assert group.typer_instance and group.name
        names = [command.name for command in group.typer_instance.registered_commands]
        assert names == GROUPS[group.name]


@pytest.mark.parametrize(
    "command", [one for one in EVERY if (one and one[0] not in GROUPS) or len(one) > 1], ids=" ".join
)
def test_every_command_takes_a_workspace(studio: Studio, command: list[str]) -> None:
    assert "--workspace DIR" in studio(*command, "--help").out


def test_the_version_is_told(studio: Studio) -> None:
    told = studio("--version")
    assert (told.status, told.out) == (0, f"studio {__version__}\n")


@pytest.mark.parametrize("group", [name for name in GROUPS if name not in ("package", "recipes")])
def test_a_group_alone_shows_its_help(studio: Studio, group: str) -> None:
    told = studio(group)
    assert told.status == 2 and all(name in told.out for name in GROUPS[group]) and told.err == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["build", "--nope"], "--nope"),
        (["nope"], "nope: no such command"),
        (["--nope"], "--nope"),
        (["triage", "nope"], "nope"),
        (["build", "nope.yaml"], "nope.yaml"),
        (["generate", "nope.yaml"], "nope.yaml"),
        (["train", "nope.yaml"], "nope.yaml"),
        (["bank", "list", "nope.yaml"], "nope.yaml"),
        (["spec", "check", "nope.yaml"], "nope.yaml"),
        (["spec", "show", "nope.yaml"], "nope.yaml"),
        (["spec", "check"], "FILE"),
        (["generate", "--examples", "0"], "--examples"),
        (["generate", "--examples", "many"], "--examples"),
        (["train", "--method", "magic"], "qlora"),
        (["build", "--method", "magic"], "qlora"),
        (["generate", "--endpoint", "http://localhost:1/v1"], "--model"),
        (["triage", "list", "--status", "fine"], "accepted"),
        (["triage", "reject", "x"], "--reason"),
        (["triage", "reject", "x", "--reason", "mood"], "tone"),
        (["triage", "edit", "x"], "--assistant"),
        (["spec", "check", "\x1b]0;pwned\x07\u202e.yaml"], "no such file"),
    ],
    ids=" ".join,
)
def test_bad_input_is_one_line_and_status_2(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(studio.root.parent)
    Path("specs").symlink_to(SPECS)
    told = studio(*arguments)
    assert one_line(told) and said in told.err and raw(told.err) == []


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        (["build", "nope.yaml"], "nope.yaml:1"),
        (["spec", "show", "nope.yaml"], "nope.yaml:1"),
        (["build", "--nope"], ""),
        (["triage", "list", "--status", "fine"], ""),
        (["triage", "undo"], ""),
        (["bank", "list", "--workspace", "file"], ""),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_a_command_that_fails_says_why_in_json_too_where_it_was_asked_for(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, arguments: list[str], where: str
) -> None:
    monkeypatch.chdir(studio.root.parent)
    Path("specs").symlink_to(SPECS)
    Path("file").touch()
    told = studio(*arguments, "--json")
    error = told.json["error"]
    assert told.status == 2 and len(told.lines) == 1 and set(error) == {"message", "where", "remedy"}
    assert error["message"] in told.err and where in error["where"] and len(told.err.splitlines()) == 1


@pytest.mark.parametrize("command", ["train", "evaluate", "package", "chat"])
def test_a_stage_without_what_it_needs_says_what_comes_before(studio: Studio, command: str) -> None:
    told = studio(command, studio.spec, "--workspace", studio.root)
    last = told.err.splitlines()[-1]
    assert told.status == 2 and told.out == "" and "Traceback" not in told.err
    assert ("nothing to train on" if command == "train" else "studio train") in last


def test_a_workspace_that_cannot_be_is_told(studio: Studio) -> None:
    (studio.root.parent / "file").write_text("")
    told = studio("bank", "list", studio.spec, "--workspace", studio.root.parent / "file")
    assert one_line(told) and "--workspace" in told.err


def test_a_wrong_recipe_is_told(studio: Studio) -> None:
    studio.fill("one")
    for name, value in (
        *(("--lr", value) for value in ("-1", "inf", "nan")),
        *(("--epochs", value) for value in ("0", "inf", "1e308")),
        *(("--seed", value) for value in ("-1", "4294967296")),
        *(("--method", "magic"), ("--backend", "magic"), ("--micro-batch-size", "0"), ("--max-length", "1")),
    ):
        told = studio("train", studio.spec, "--workspace", studio.root, "--plan", name, value)
        last = told.err.splitlines()[-1]
        assert told.status == 2 and told.out == ""
        assert last.startswith(("studio: recipe: ", f"studio: Invalid value for '{name}'"))


def test_the_plan_of_a_run_is_shown_and_nothing_trained(studio: Studio) -> None:
    studio.fill("one", "two")
    told = studio(
        "train", studio.spec, "--workspace", studio.root, "--base", tiny_base(), "--rank", "4", "--plan", "--json"
    )
    assert told.status == 0 and told.json["examples"] == 2 and told.json["recipe"]["rank"] == 4
    told = studio("train", studio.spec, "--workspace", studio.root, "--base", tiny_base(), "--epochs", "1", "--plan")
    assert "data    2 accepted examples" in told.out and ": 1 epoch, batch" in told.out and told.err == ""
    assert not list((studio.root / "harbour" / "exports").iterdir())
    assert not list((studio.root / "harbour" / "jobs").iterdir())


def test_the_window_without_a_terminal_says_what_to_do(studio: Studio) -> None:
    for arguments in ([], ["open"], [str(studio.spec)], [str(studio.spec), "--workspace", "ws"]):
        process = subprocess.run(
            [sys.executable, "-m", "studio.cli", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            cwd=SPECS.parent,
        )
        assert process.returncode == 2 and process.stdout == ""
        assert process.stderr.startswith("studio: the window needs a terminal (headless: studio build ")
        assert process.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    [["--version"], ["triage", "list", "--json"], ["triage", "export", "--out", "-"], ["--help"]],
    ids=" ".join,
)
def test_a_reader_that_leaves_early_ends_a_command_as_it_ends_a_pipe(studio: Studio, command: list[str]) -> None:
    if command[0] == "triage":
        studio.fill(*(f"e{index}" for index in range(40)), reply="Over. " * 500)
        command = [*command, "--spec", str(studio.spec), "--workspace", str(studio.root)]
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as out:
        process = subprocess.run(
            [sys.executable, "-m", "studio.cli", *command], stdout=out, stderr=subprocess.PIPE, timeout=60
        )
    assert process.returncode == 141 and process.stderr == b""
