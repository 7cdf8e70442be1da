"""What may take minutes keeps nobody waiting."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import pytest

from studio.errors import UserError
from studio.serve import ServeParams
from studio.spec import load
from studio.store import Workspace
from studio.tui.live.threads import detached
from tests.tui.making import press, until, window, write_spec
from tests.tui.outcomes import keep_run


async def test_it_gives_what_the_work_gives_and_raises_what_it_raises() -> None:
    assert await detached(divmod, 7, 2) == (3, 1)
    with pytest.raises(UserError, match="none"):
        await detached(_fail)


def _fail() -> None:
    raise UserError("none")


def test_the_window_closes_while_the_worker_of_the_chat_still_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loading, loaded = threading.Event(), threading.Event()

    async def ensure(jobs_dir: Path, params: ServeParams) -> None:
        loading.set()
        loaded.wait(20)

    monkeypatch.setattr("studio.tui.screens.chat.models.ensure", ensure)
    spec = load(write_spec(tmp_path))
    keep_run(Workspace.open(tmp_path / "ws", spec.spec.slug))
    app = window(spec.path, tmp_path / "ws")

    async def look() -> float:
        async with app.run_test(size=(80, 24)) as pilot:
            await press(pilot, ["7"], "adapter on, run-made")
            await pilot.press("s")
            await until(pilot, loading.is_set)
            await pilot.press("ctrl+q")
            await until(pilot, lambda: not app.is_running)
            return time.monotonic()

    closed = asyncio.run(look())
    waited = time.monotonic() - closed
    loaded.set()
    assert waited < 5, "it waits for nothing but what was written"
