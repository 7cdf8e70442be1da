"""Having the right worker: another one when the parts change, a clear word when they do not fit."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from studio.errors import UserError
from studio.jobs import active
from studio.serve import ServeParams, ensure, socket_path
from studio.serve.ensure import serves
from studio.serve.sockets import secure_folder
from tests.serve.making import BASE_PATH, client, text


def job_for(params: ServeParams) -> Any:
    request = SimpleNamespace(params=params.model_dump(mode="json"), created=datetime.now(UTC))
    return SimpleNamespace(view=lambda: SimpleNamespace(request=request))


def adapter(folder: Path) -> Path:
    folder.mkdir()
    (folder / "adapter_model.safetensors").write_bytes(b"")
    return folder


def test_a_worker_serves_what_it_was_started_for(tmp_path: Path) -> None:
    params = ServeParams(base_path="base", adapter_path=str(adapter(tmp_path / "adapter")), socket="s")
    job = job_for(params)
    assert serves(job, params)
    assert not serves(job, params.model_copy(update={"adapter_path": None}))
    later = time.time() + 60
    os.utime(tmp_path / "adapter" / "adapter_model.safetensors", (later, later))
    assert not serves(job, params), "the adapter was trained again since"


async def test_the_base_alone_is_served_until_nobody_asks(tmp_path: Path) -> None:
    params = ServeParams(base_path=BASE_PATH, socket=str(socket_path(tmp_path)), idle_s=1)
    job, ready = await ensure(tmp_path / "jobs", params)
    assert ready.models == ("base",) and ready.proof is None
    async with client(ready.socket) as session:
        assert "water the plants" in (await text(session)).lower()
    assert job.wait(20).state == "finished", job.log_tail()
    assert active(tmp_path / "jobs", "serve") is None


async def test_an_adapter_that_is_not_there_is_a_users_error(tmp_path: Path) -> None:
    params = ServeParams(base_path=BASE_PATH, adapter_path=str(tmp_path), socket=str(socket_path(tmp_path)))
    with pytest.raises(UserError, match="no adapter there"):
        await ensure(tmp_path / "jobs", params)


def test_the_socket_has_a_short_path_of_its_own(tmp_path: Path) -> None:
    runtime = {"XDG_RUNTIME_DIR": str(tmp_path)}
    deep = tmp_path / ("d" * 90) / ("e" * 90)
    assert socket_path(deep, runtime) == socket_path(deep, runtime) != socket_path(tmp_path, runtime)
    assert len(str(socket_path(deep, {}))) < 100


def test_a_folder_that_is_open_to_others_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir(mode=0o755)
    secure_folder(folder)
    assert folder.stat().st_mode & 0o077 == 0
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(UserError, match="somebody else"):
        secure_folder(tmp_path / "link")
