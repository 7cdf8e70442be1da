from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.store import ExampleStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ExampleStore]:
    opened = ExampleStore(tmp_path / "examples.db")
    yield opened
    opened.close()
