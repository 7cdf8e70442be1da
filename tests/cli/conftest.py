from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.making import Studio


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test asks a model of whoever runs it."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "STUDIO_MODEL", "STUDIO_JUDGE_MODEL", "STUDIO_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def studio(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Studio:
    return Studio(tmp_path, capfd)
