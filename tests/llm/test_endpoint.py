"""What is learned of an endpoint is there for the next process, and for the others of the workspace."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from studio.llm import ModelSettings, OpenAIModel, learned_at, waiting, window
from studio.llm.endpoint import FILE, shared_endpoint
from tests.llm.fake_server import FakeServer
from tests.llm.faults import limited
from tests.llm.helpers import asked, model_at, until
from tests.llm.test_breaker import PATIENT, calls


def in_another_process(url: str, folder: Path) -> dict[str, Any]:
    """What a process that begins now takes for granted, before it has called anybody."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_begun, (url, folder))


def _begun(url: str, folder: Path) -> dict[str, Any]:
    async def look() -> dict[str, Any]:
        async with learned_at(folder):
            endpoint = shared_endpoint(ModelSettings(endpoint=url), "fake")
            return {"window": window(), "seed": endpoint.capabilities.takes("seed"), "waiting": waiting()}

    return asyncio.run(look())


async def test_another_process_begins_with_what_was_learned(tmp_path: Path) -> None:
    server, settings = FakeServer(lambda b: "ok", refuses=("seed",), latency=0.02), {"max_concurrent": 100}
    async with server, learned_at(tmp_path), model_at(server, settings=settings) as model:
        await asyncio.gather(*(model.complete(asked(str(number))) for number in range(300)))
        grown = window()
    assert grown > 20
    found = in_another_process(server.url, tmp_path)
    assert found["window"] >= grown and found["seed"] is False and found["waiting"] is None


async def test_a_wait_that_one_process_was_asked_for_is_kept_by_another(tmp_path: Path) -> None:
    server = FakeServer(lambda b: "ok", every=lambda b: limited(600))
    async with server, learned_at(tmp_path), model_at(server, retries=replace(PATIENT, patience=3600.0)) as model:
        asking = calls(model, 1)
        await until(waiting)
        asking[0].cancel()
        await asyncio.gather(*asking, return_exceptions=True)
    told = in_another_process(server.url, tmp_path)["waiting"]
    assert told is not None and told.reason == "limit" and told.until is not None
    assert timedelta(minutes=9) < told.until - datetime.now(UTC) < timedelta(minutes=10)


async def test_a_process_hears_of_a_wait_while_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.llm.endpoint.EVERY_S", 0.01)
    server = FakeServer(lambda b: "ok")
    async with server, learned_at(tmp_path), model_at(server, retries=PATIENT) as model:
        await model.complete(asked())
        await until((tmp_path / FILE).exists)
        assert waiting() is None
        path = tmp_path / FILE
        found = json.loads(path.read_bytes())
        (key,) = found
        later = (datetime.now(UTC) + timedelta(seconds=2)).isoformat()
        path.write_text(json.dumps({key: found[key] | {"closed_until": later}}))
        await until(waiting)
        assert (await model.complete(asked("two"))).text == "ok"
        assert datetime.now(UTC).isoformat() >= later


@pytest.mark.parametrize("damaged", [b"", b"[]", b"\xff", b'{"x": 1}', b"[" * 100_000])
async def test_a_file_that_cannot_be_read_is_learned_again(tmp_path: Path, damaged: bytes) -> None:
    (tmp_path / FILE).write_bytes(damaged)
    async with FakeServer(lambda b: "ok") as server, learned_at(tmp_path), model_at(server) as model:
        assert (await model.complete(asked())).text == "ok"
    assert json.loads((tmp_path / FILE).read_bytes())[f"{server.url} fake"]["limit"]["window"] >= 1


async def test_what_was_learned_yesterday_of_limits_is_learned_again(tmp_path: Path) -> None:
    url = "http://127.0.0.1:1/v1"
    at = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    (tmp_path / FILE).write_text(json.dumps({f"{url} fake": {"at": at, "limit": {"window": 300, "rate": 0.1}}}))
    async with learned_at(tmp_path):
        endpoint = shared_endpoint(ModelSettings(endpoint=url), "fake")
        assert endpoint.limiter.limit.window == 16 and endpoint.limiter.limit.rate is None


async def test_author_and_judge_that_are_one_model_share_one_limit() -> None:
    async with FakeServer(lambda b: "ok", latency=0.02) as server:
        settings = ModelSettings(endpoint=server.url, max_concurrent=3)
        author, judge = OpenAIModel(settings, "fake"), OpenAIModel(settings, "fake")
        await asyncio.gather(*(one.complete(asked(str(n))) for n in range(9) for one in (author, judge)))
        await author.close()
        await judge.close()
    assert server.most_at_once == 3
