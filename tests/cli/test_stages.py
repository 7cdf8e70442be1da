"""What ``studio build`` ends with: its status follows from the gates, of which an undecided one is not passed."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.build import Built, Session, Tell
from studio.cli import stages
from studio.cli.evaluate import print_gates
from studio.evaluate.types import Gate, GateStatus
from studio.package import Package, Verification
from tests.cli.making import Studio
from tests.evaluate.making import NOON
from tests.package.making import Made

GATES = (
    Gate(name="overall", target=7.5, value=7.61, status="PASS", note="n 24"),
    Gate(name="train_loss", target=0.6, value=4.94, status="FAIL"),
    Gate(name="win_rate", target=0.7, value=None, status="UNDECIDED", note="12 more probes"),
)


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

    async def build(tell: Tell, session: Session) -> Built:
        return Built(made.run, evaluation, package(tmp_path))

    monkeypatch.setattr(stages, "build", build)
    studio = Studio(tmp_path, capfd, made.loaded.path)
    told = studio("build", studio.spec, "--workspace", studio.root)
    passed = statuses.count("PASS")
    assert told.status == ends and told.lines[0] == f"{verdict}, {passed} of 2 gates passed"
    told = studio("build", studio.spec, "--workspace", studio.root, "--json")
    assert told.status == ends and told.json["evaluation"]["verdict"] == verdict
    assert [gate["status"] for gate in told.json["gates"]] == list(statuses)


def test_a_gate_is_printed_with_its_value_and_what_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    print_gates(GATES)
    assert capsys.readouterr().out.splitlines() == [
        "PASS      overall        7.61 >= 7.5    n 24",
        "FAIL      train loss     4.94 <= 0.6",
        "UNDECIDED win rate          - >= 70%    12 more probes",
    ]
