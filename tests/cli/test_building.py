"""What ``studio build`` ends with: its status follows from the gates, of which an undecided one is not passed."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.build import BuildEnded, Session, summarise
from studio.build.jobs import Stream
from studio.cli import building
from studio.evaluate.types import Gate, GateStatus
from studio.package import Package
from studio.package.packages import Verification
from tests.cli.making import Studio
from tests.evaluate.making import NOON
from tests.package.making import Made


def package(folder: Path) -> Package:
    return Package(
        id="one",
        path=str(folder / "packages" / "one"),
        run_id="run-1",
        evaluation_id="run-1-e1",
        spec_hash="s" * 64,
        files={},
        gates_passed=False,
        verification=Verification(verified=True, seconds=1),
        created=NOON,
    )


@pytest.mark.parametrize(
    ("statuses", "ends", "verdict"),
    [
        (("PASS", "PASS"), 0, "approved for deployment"),
        (("PASS", "UNDECIDED"), 3, "undecided"),
        (("UNDECIDED", "FAIL"), 3, "not approved"),
    ],
)
def test_the_status_follows_from_the_gates(
    statuses: tuple[GateStatus, ...],
    ends: int,
    verdict: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = Made(tmp_path)
    gates = tuple(Gate(name=f"g{index}", target=1, value=1, status=one) for index, one in enumerate(statuses))
    evaluation = made.evaluation.model_copy(update={"gates": gates})

    async def build(session: Session) -> Stream:
        yield BuildEnded(summary=summarise(session, made.run, evaluation, package(tmp_path)), evaluation=evaluation)

    monkeypatch.setattr(building, "build", build)
    studio = Studio(tmp_path, capfd, made.loaded.path)
    told = studio("build", studio.spec, "--workspace", studio.root)
    passed = statuses.count("PASS")
    assert told.status == ends and told.lines[0] == f"{verdict}, {passed} of 2 gates passed"
    told = studio("build", studio.spec, "--workspace", studio.root, "--json")
    assert told.status == ends and told.json["evaluation"]["verdict"] == verdict
    assert [gate["status"] for gate in told.json["gates"]] == list(statuses)
