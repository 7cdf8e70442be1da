from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.making import Studio


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test asks a model of whoever runs it, or takes what their cache knows of a judge."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "STUDIO_MODEL", "STUDIO_JUDGE_MODEL", "STUDIO_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def studio(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Studio:
    return Studio(tmp_path, capfd)
