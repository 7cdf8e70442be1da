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
from studio.serve import ServeParams, end_unused, ensure
from studio.serve.access import alone, join, secure_folder, socket_path
from studio.serve.client import serves
from tests.serve.making import BASE_PATH, client, text


def job_for(params: ServeParams) -> Any:
    request = SimpleNamespace(params=params.model_dump(mode="json"), created=datetime.now(UTC))
    return SimpleNamespace(view=lambda: SimpleNamespace(request=request))


def adapter(folder: Path) -> Path:
    folder.mkdir()
    (folder / "adapter_model.safetensors").write_bytes(b"")
    return folder


def test_a_worker_serves_what_it_was_started_for(tmp_path: Path) -> None:
    params = ServeParams(base_path="base", adapter_path=str(adapter(tmp_path / "adapter")))
    job = job_for(params)
    assert serves(job, params)
    assert not serves(job, params.model_copy(update={"adapter_path": None}))
    later = time.time() + 60
    os.utime(tmp_path / "adapter" / "adapter_model.safetensors", (later, later))
    assert not serves(job, params), "the adapter was trained again since"


def test_the_lock_of_the_clients_tells_when_the_last_one_has_left(tmp_path: Path) -> None:
    first, second = join(tmp_path), join(tmp_path)
    assert first and second and alone(tmp_path) is None
    first.close()
    assert alone(tmp_path) is None
    second.close()
    whole = alone(tmp_path)
    assert whole is not None and join(tmp_path) is None, "nobody comes while it is ended"
    os.close(whole)
    again = join(tmp_path)
    assert again
    again.close()


async def test_the_base_alone_is_served_until_the_last_client_has_left(tmp_path: Path) -> None:
    params = ServeParams(base_path=BASE_PATH, grace_s=1)
    first = await ensure(tmp_path / "jobs", params)
    assert first.ready.models == ("base",) and first.ready.proof is None
    second = await ensure(tmp_path / "jobs", params)
    first.close()
    assert first.job == second.job and second.job.wait(3).state == "running", "one still uses it"
    async with client(second.ready.socket) as session:
        assert await text(session)
    second.close()
    assert second.job.wait(20).state == "finished", second.job.log_tail()
    assert active(tmp_path / "jobs", "serve") is None


async def test_a_worker_that_lost_its_socket_opens_it_again(tmp_path: Path) -> None:
    params = ServeParams(base_path=BASE_PATH)
    with await ensure(tmp_path / "jobs", params) as server:
        Path(server.ready.socket).unlink()
        with await ensure(tmp_path / "jobs", params) as found:
            assert found.job == server.job
            async with client(found.ready.socket) as session:
                assert await text(session)
    assert end_unused(tmp_path / "jobs")


async def test_a_worker_that_cannot_be_reached_is_ended_and_another_one_started(tmp_path: Path) -> None:
    params = ServeParams(base_path=BASE_PATH)
    with await ensure(tmp_path / "jobs", params) as lost:
        socket = Path(lost.ready.socket)
        socket.unlink()
        socket.touch()
    with await ensure(tmp_path / "jobs", params) as found:
        assert found.job != lost.job and not lost.job.alive
        async with client(found.ready.socket) as session:
            assert await text(session)
    assert end_unused(tmp_path / "jobs") and not found.job.alive


async def test_an_adapter_that_is_not_there_is_a_users_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no adapter there"):
        await ensure(tmp_path / "jobs", ServeParams(base_path=BASE_PATH, adapter_path=str(tmp_path)))


def test_the_socket_has_a_short_path_of_its_own_that_no_login_takes_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    deep = tmp_path / ("d" * 90) / ("e" * 90)
    assert socket_path(deep) == socket_path(deep) != socket_path(tmp_path)
    assert len(str(socket_path(deep))) < 100 and not socket_path(deep).is_relative_to(tmp_path)


def test_a_folder_that_is_open_to_others_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir(mode=0o755)
    secure_folder(folder)
    assert folder.stat().st_mode & 0o077 == 0
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(UserError, match="somebody else"):
        secure_folder(tmp_path / "link")
