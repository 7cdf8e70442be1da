"""No test of the window asks for a GPU, and none waits for SmolLM2 to be prepared."""

from __future__ import annotations

import pytest

from studio.train import SMOLLM2, resolve_base


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.doctor.find_gpus", lambda visible: ())


@pytest.fixture(autouse=True, scope="session")
def smollm2() -> str:
    return resolve_base(SMOLLM2)
