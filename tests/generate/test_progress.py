"""How fast examples come."""

from __future__ import annotations

import pytest

from studio.generate.progress import Meter


def test_a_meter_tells_at_most_twice_a_second_and_estimates_by_what_is_accepted() -> None:
    now = 0.0
    meter = Meter(lambda: now)
    told = 0
    for step in range(1, 101):
        now = step * 0.1
        meter.landed(step % 2 == 0)
        told += meter.due()
    assert told == 20
    assert meter.rate() == pytest.approx(10)
    assert meter.eta_s(100) == pytest.approx(20)
    now = 100.0
    assert meter.rate() == 0 and meter.eta_s(100) is None
