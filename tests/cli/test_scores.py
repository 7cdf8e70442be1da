"""Gates are printed with what it takes to pass them."""

from __future__ import annotations

import pytest

from studio.cli.scores import print_gates, tally
from studio.evaluate.types import Gate

GATES = (
    Gate(name="overall", target=7.5, value=7.61, status="PASS", note="n 24"),
    Gate(name="train_loss", target=0.6, value=4.94, status="FAIL"),
    Gate(name="win_rate", target=0.7, value=None, status="UNDECIDED", note="12 more probes"),
)


def test_a_gate_is_printed_with_its_value_and_what_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    print_gates(GATES)
    assert capsys.readouterr().out.splitlines() == [
        "PASS      overall        7.61 >= 7.5    n 24",
        "FAIL      train loss     4.94 <= 0.6",
        "UNDECIDED win rate          - >= 70%    12 more probes",
    ]
    assert tally(GATES) == "1 of 3 gates passed"
