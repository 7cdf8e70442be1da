"""No test of the window asks for a GPU, for servers on this machine, or measures a judge, unless it says so."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def nothing_around(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.doctor.find_gpus", lambda visible: ())
    monkeypatch.setattr("studio.tui.screens.generate.authors.servers_here", lambda: ())
    monkeypatch.setattr("studio.tui.live.session.measure_apart", lambda spec_path: None)
