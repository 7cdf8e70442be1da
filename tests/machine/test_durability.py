"""What the machine does to long work: processes that do not outlive a connection, and file systems of a network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.machine.durability import Login, login, network_file_system, outliving
from tests.jobs.helpers import begin, numbers


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine whose commands are scripts of the test's."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    (tmp_path / "run" / "systemd" / "private").mkdir(parents=True)
    login.cache_clear()
    yield folder
    login.cache_clear()


def script(folder: Path, name: str, body: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


def killing(folder: Path, linger: str) -> None:
    script(folder, "busctl", "echo b true")
    script(folder, "loginctl", f"echo {linger}")


def test_where_logind_kills_a_job_is_started_through_the_users_manager(bin_folder: Path, tmp_path: Path) -> None:
    killing(bin_folder, "no")
    script(
        bin_folder,
        "systemd-run",
        f'echo "$@" > {tmp_path}/asked\nwhile [ "$1" != "--collect" ]; do shift; done\nshift\nexec "$@"',
    )
    job = begin(tmp_path / "jobs", "count")
    assert job.wait(30).state == "finished" and numbers(job) == [1, 2, 3]
    assert (tmp_path / "asked").read_text().startswith("--user --scope --quiet --collect")


def test_where_nothing_is_killed_a_job_is_started_as_it_is(bin_folder: Path) -> None:
    script(bin_folder, "busctl", "echo b false")
    script(bin_folder, "systemd-run", "exit 1")
    assert login() == Login(kills=False, lingers=False) and outliving() == []


def test_without_a_manager_of_the_users_a_job_is_started_as_it_is(bin_folder: Path, tmp_path: Path) -> None:
    killing(bin_folder, "yes")
    script(bin_folder, "systemd-run", "exit 1")
    (tmp_path / "run" / "systemd" / "private").rmdir()
    assert login() == Login(kills=True, lingers=True) and outliving() == []


def test_a_machine_without_logind_kills_nothing(bin_folder: Path) -> None:
    script(bin_folder, "busctl", "exit 1")
    assert not login().kills


def test_the_file_system_of_a_network_is_told_by_the_nearest_mount(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    (tmp_path / "my share" / "local").mkdir(parents=True)
    share = str(tmp_path / "my share").replace(" ", "\\040")
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\nhost:/x {share} nfs4 rw 0 0\n/dev/sdb {share}/local xfs rw 0 0\n")
    assert network_file_system(tmp_path / "my share" / "new", mounts) == "nfs4"
    assert network_file_system(tmp_path / "my share" / "local", mounts) is None
    assert network_file_system(tmp_path, mounts) is None
    assert network_file_system(tmp_path, tmp_path / "nothing") is None
