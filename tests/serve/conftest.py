"""One worker process for all tests that need a real one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from studio.jobs import Job
from studio.serve import ServeParams, ServeReady, ensure, socket_path
from tests.serve.making import BASE_PATH, write_adapter


class Worker(NamedTuple):
    jobs_dir: Path
    params: ServeParams
    job: Job
    ready: ServeReady


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    folder = tmp_path_factory.mktemp("serve")
    adapter = write_adapter(folder / "adapter")
    params = ServeParams(base_path=BASE_PATH, adapter_path=str(adapter), socket=str(socket_path(folder)))
    job, ready = asyncio.run(ensure(folder / "jobs", params))
    yield Worker(folder / "jobs", params, job, ready)
    job.stop()
    assert job.wait(20).state == "stopped", job.log_tail()
    assert not Path(params.socket).exists()
