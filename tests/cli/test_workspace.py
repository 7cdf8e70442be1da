"""``studio workspace``: what is damaged is named, copied and brought back."""

from __future__ import annotations

import os
from pathlib import Path

from studio.chatml import Frozen
from studio.jobs import start
from tests.cli.making import Studio


def workspace(studio: Studio, command: str, *arguments: object) -> tuple[int, str, str]:
    ended = studio("workspace", command, studio.spec, "--workspace", studio.root, *arguments)
    return ended.status, ended.out, ended.err


def test_a_backup_is_made_checked_and_brought_back(studio: Studio, tmp_path: Path) -> None:
    studio.fill("one", "two")
    folder = studio.root / studio.loaded.spec.slug
    status, out, _ = workspace(studio, "check")
    assert status == 0 and "is sound: 2 examples" in out
    assert workspace(studio, "backup", "--out", tmp_path / "copy")[0] == 0
    studio.fill("three")
    with (folder / "examples.db").open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(4096))
    status, out, err = workspace(studio, "check")
    assert status == 2 and "examples.db: " in out and "studio workspace restore" in err
    status, out, err = workspace(studio, "restore", "--from", tmp_path / "copy")
    assert status == 0 and out.startswith("2 examples are there\nwhat was there is kept: ") and err == ""
    assert workspace(studio, "check")[0] == 0
    assert studio.status("two") == "accepted" and studio.status("three") is None


def test_what_is_sound_is_salvaged(studio: Studio) -> None:
    studio.fill(*(f"e{number}" for number in range(40)))
    folder = studio.root / studio.loaded.spec.slug
    raw = (folder / "examples.db").read_bytes()
    at = next(at for at in range(4096, len(raw), 4096) if raw[at] == 0x0D and b"Hello e7" in raw[at : at + 4096])
    with (folder / "examples.db").open("r+b") as file:
        file.seek(at)
        file.write(b"\0" * 4096)
    told = studio("workspace", "restore", studio.spec, "--workspace", studio.root, "--json")
    assert told.status == 0 and told.json["examples"] + told.json["lost"].get("examples", 0) == 40
    assert Path(told.json["kept"]).read_bytes()[at : at + 4096] == b"\0" * 4096
    assert workspace(studio, "check")[0] == 0


def test_nothing_is_restored_under_a_job_that_runs(studio: Studio) -> None:
    studio.fill("one")
    jobs = studio.root / studio.loaded.spec.slug / "jobs"
    job = start(jobs, "generate", "tests.jobs.entries:wait_for_stop", Frozen())
    try:
        status, _, err = workspace(studio, "restore")
        assert status == 2 and f"studio jobs stop {job.id}" in err
    finally:
        job.stop()
        job.wait(30)


def test_there_is_nothing_to_check_before_a_beginning(studio: Studio) -> None:
    status, _, err = workspace(studio, "check")
    assert status == 2 and "no workspace here yet" in err and not studio.root.exists()
