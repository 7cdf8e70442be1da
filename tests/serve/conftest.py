"""One worker process for all tests that need a real one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from studio.jobs import Job
from studio.serve import ServeParams, Server, ServeReady, end_unused, ensure
from tests.serve.making import BASE_PATH, write_adapter


class Worker(NamedTuple):
    jobs_dir: Path
    params: ServeParams
    server: Server

    @property
    def job(self) -> Job:
        return self.server.job

    @property
    def ready(self) -> ServeReady:
        return self.server.ready


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """In use for as long as the tests last."""
    folder = tmp_path_factory.mktemp("serve")
    adapter = write_adapter(folder / "adapter")
    params = ServeParams(base_path=BASE_PATH, adapter_path=str(adapter))
    server = asyncio.run(ensure(folder / "jobs", params))
    yield Worker(folder / "jobs", params, server)
    server.close()
    assert end_unused(folder / "jobs")
    assert server.job.view().state == "stopped", server.job.log_tail()
    assert not Path(server.ready.socket).exists()
