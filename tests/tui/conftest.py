"""No test of the window asks for a GPU."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.doctor.find_gpus", lambda visible: ())
