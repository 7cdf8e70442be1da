"""``studio package verify`` tells whether a package is still what was packed."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.cli.package import proof_line
from studio.package import Verification
from tests.cli.making import Studio
from tests.package.test_packages import write_package


def test_a_whole_package_is_told_and_one_that_was_changed_ends_with_3(studio: Studio, tmp_path: Path) -> None:
    folder = write_package(tmp_path / "package")
    told = studio("package", "verify", folder)
    assert (told.status, told.out) == (0, "harbour-1: all 2 files are as they were packed\n")
    (folder / "b.txt").write_text("c")
    (folder / "c.txt").write_text("c")
    told = studio("package", "verify", folder)
    assert told.status == 3 and told.lines == ["changed    b.txt", "not listed c.txt"]
    told = studio("package", "verify", folder, "--json")
    assert told.status == 3
    assert (told.json["whole"], told.json["changed"], told.json["added"]) == (False, ["b.txt"], ["c.txt"])


def test_a_package_of_the_workspace_is_found_by_its_name(studio: Studio) -> None:
    write_package(studio.root / "harbour" / "packages" / "harbour-1")
    assert studio("package", "verify", "harbour-1", "--workspace", studio.root).status == 0
    missing = studio("package", "verify", "harbour-2", "--workspace", studio.root)
    assert missing.status == 2 and "not a package" in missing.err


@pytest.mark.parametrize("arguments", [["--workspace"], ["pack", "--workspace"]], ids=["alone", "by its name"])
def test_packing_is_what_the_command_does_by_itself(studio: Studio, arguments: list[str]) -> None:
    told = studio("package", *arguments[:-1], studio.spec, arguments[-1], studio.root)
    assert told.status == 2 and "no finished training run yet" in told.err


def test_the_proof_is_told_in_one_line() -> None:
    proof = Verification(verified=True, seconds=21.4, probes=8, tokens=95, difference=1.5e-7, tolerance=1e-4)
    assert proof_line(proof) == (
        "verified in 21 s: 95 tokens of 8 probes, log-probabilities as the run's to 1.5e-07 (allowed 0.0001)"
    )
    failed = Verification(verified=False, seconds=1, note="log-probabilities differ by 0.3 a token")
    assert proof_line(failed) == "not verified: log-probabilities differ by 0.3 a token"
