from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.store import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    opened = Workspace.open(tmp_path, "persona")
    yield opened
    opened.close()
