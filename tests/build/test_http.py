"""The commands against an OpenAI-compatible server: a real author and a real judge, each paid once."""

from __future__ import annotations

import asyncio
import json
import signal
from collections import defaultdict, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from studio.chatml import Messages
from studio.generate import read_recordings
from studio.spec import LoadedSpec
from studio.store import Row
from tests.build import making
from tests.build.making import Commands, interrupt
from tests.llm.fake_server import FakeServer
from tests.llm.faults import Drop, Raw, Status, Truncate, limited

AUTHOR, JUDGE = "writer-1", "critic-1"
WANTED = 12


class Model:
    """Writes what is recorded beside the spec, by the situation that the prompt asks for; judges and compares, always
    well pleased.

    It answers ``most`` requests and holds the others back until ``release``.
    """

    def __init__(self, loaded: LoadedSpec, most: int | None = None) -> None:
        self._spec, self._most = loaded.spec, most
        self._written: defaultdict[str, deque[Messages]] = defaultdict(deque)
        for one in read_recordings(loaded):
            self._written[one.scenario].append(one.messages)
        self.answered: list[str] = []
        self.compared = self.held = 0
        self.release = asyncio.Event()

    async def __call__(self, body: dict[str, Any]) -> dict[str, Any]:
        form = body["response_format"]["json_schema"]["schema"]["properties"]
        value = self._write(body) if "messages" in form else self._judge(body, form)
        if self._most is not None and len(self.answered) >= self._most and not self.release.is_set():
            self.held += 1
            await self.release.wait()
        self.answered.append(request_key(body))
        return value

    def _write(self, body: dict[str, Any]) -> dict[str, Any]:
        assert body["model"] == AUTHOR
        text = "\n".join(message["content"] for message in body["messages"])
        (scenario,) = (one for one in self._written if f"\n{one}\n</situation" in text)
        written = self._written[scenario]
        written.rotate(-1)
        return {"messages": [turn.model_dump() for turn in written[-1]]}

    def _judge(self, body: dict[str, Any], form: dict[str, Any]) -> dict[str, Any]:
        assert body["model"] == JUDGE
        if "winner" in form:
            self.compared += 1
            return {"rationale": "Both show it.", "winner": "tie"}
        assert set(form) == {"shows_scenario", "violations", "steps", "preferred", "traits"}
        mark = {"rationale": "It shows.", "quote": "", "score": 2}
        return {
            "shows_scenario": True,
            "violations": [],
            "steps": {step.step: True for step in self._spec.patterns},
            "preferred": [],
            "traits": dict.fromkeys(self._spec.trait_names, mark),
        }


def request_key(body: dict[str, Any]) -> str:
    return json.dumps({name: body[name] for name in ("model", "messages", "seed") if name in body}, sort_keys=True)


def options(server: FakeServer) -> tuple[str, ...]:
    return ("--endpoint", server.url, "--model", AUTHOR, "--judge-model", JUDGE, "--json")


async def until(condition: Callable[[], object]) -> None:
    """Wait while the server goes on answering."""
    await asyncio.to_thread(making.until, condition)


def check_provenance(rows: dict[str, Row]) -> None:
    assert rows
    for row in rows.values():
        assert row.example.author == AUTHOR and row.example.prompt[0].role == "system"
        assert row.example.person_id and row.example.job_id
        assert row.judgement is not None
        if row.status == "accepted":
            assert row.judgement.judge == JUDGE and row.judgement.total == 10
            assert all(mark.rationale == "It shows." for mark in row.judgement.traits.values())


async def test_a_build_with_a_model_that_writes_and_one_that_judges_whatever_goes_wrong_on_the_way(
    tmp_path: Path,
) -> None:
    studio = Commands(tmp_path)
    faults = [
        limited(0.05),
        None,
        Status(503),
        Truncate(25),
        limited(0.05),
        Raw(b"<html>oops"),
        Drop(),
        None,
        limited(),
    ]
    model = Model(studio.loaded)
    async with FakeServer(model, faults=faults, models=(AUTHOR, JUDGE)) as server:
        told = await asyncio.to_thread(studio.run, "build", *options(server))
        assert told.status == 3, told.err
        asked = len(server.requests)
        assert all(body["response_format"]["type"] == "json_schema" for body in server.requests)
        assert {body["model"] for body in server.requests} == {AUTHOR, JUDGE}
        again = await asyncio.to_thread(studio.run, "build", *options(server))
        assert again.status == 3 and len(server.requests) == asked, "nothing is asked again"
        assert all(f"{stage:<9} kept: " in again.err for stage in ("generate", "train", "evaluate", "package"))
    assert f"{AUTHOR} writes · {JUDGE} judges · " in told.err
    assert told.json == again.json and told.json["package"]["verified"]
    assert all(one["accepted"] >= one["target"] for one in told.json["categories"].values())
    check_provenance(studio.rows())
    evaluation = told.json["evaluation"]
    assert evaluation["judge"]["name"] == JUDGE and evaluation["tuned"]["overall"] == 10 and model.compared > 0
    assert evaluation["win_rate"] == 0.5
    spent = studio.workspace.examples.spent()
    assert spent.calls >= 2 * WANTED and spent.prompt_tokens > 0 and spent.completion_tokens > 0


async def test_ctrl_c_while_generating_keeps_everything_and_the_same_command_goes_on(tmp_path: Path) -> None:
    studio = Commands(tmp_path)
    model = Model(studio.loaded, most=15)
    async with FakeServer(model, models=(AUTHOR, JUDGE)) as server:
        process = studio.begin("generate", *options(server))
        await until(lambda: model.held and studio.rows())
        process.send_signal(signal.SIGINT)  # once: what is under way is waited for
        await until(lambda: any(one["stopping"] for one in studio.events("generate", "generate_progressed")))
        assert process.poll() is None and studio.jobs("generate")[0].view().state == "stopping"
        ended = await asyncio.to_thread(interrupt, process)  # again: it is given up
        assert ended.status == 130 and "interrupted" in ended.json["error"]["message"] and "Traceback" not in ended.err
        assert ended.err.splitlines()[-1] == "studio: interrupted; run the same command to go on"
        assert studio.jobs("generate")[0].view().state == "stopped", "it had saved when the command ended"
        rows, answered, asked = studio.rows(), set(model.answered), len(server.requests)
        assert 0 < len(rows) < WANTED
        model.release.set()
        again = await asyncio.to_thread(studio.run, "generate", *options(server))
        later = {request_key(body) for body in server.requests[asked:]}
    assert again.status == 0, again.err
    after = studio.rows()
    assert all(after[name] == row for name, row in rows.items()) and not answered & later
    assert again.json["examples"]["accepted"] == WANTED


async def test_killed_and_started_again_it_pays_for_no_answer_twice(tmp_path: Path) -> None:
    studio = Commands(tmp_path)
    model = Model(studio.loaded, most=15)
    async with FakeServer(model, models=(AUTHOR, JUDGE)) as server:
        process = studio.begin("generate", *options(server))
        await until(lambda: model.held and studio.workspace.examples.spent().calls == len(model.answered))
        process.kill()
        studio.jobs("generate")[0].kill()
        await asyncio.to_thread(process.communicate)
        await until(lambda: studio.jobs("generate")[0].view().state == "dead")
        paid, before, asked = set(model.answered), studio.rows(), len(server.requests)
        model.release.set()
        told = await asyncio.to_thread(studio.run, "generate", *options(server))
        assert told.status == 0, told.err
        later = {request_key(body) for body in server.requests[asked:]}
    assert len(paid) == 15 and later and not paid & later
    rows = studio.rows()
    assert all(rows[name] == row for name, row in before.items())
    assert told.json["examples"]["accepted"] >= WANTED
    check_provenance(rows)


async def test_a_server_that_refuses_the_key_ends_the_command_in_one_line(tmp_path: Path) -> None:
    studio = Commands(tmp_path)
    async with FakeServer(Model(studio.loaded), key="secret", models=(AUTHOR,)) as server:
        told = await asyncio.to_thread(studio.run, "build", *options(server))
    assert told.status == 2 and "key" in told.json["error"]["message"] and "Traceback" not in told.err
    assert told.err.splitlines()[-1].startswith("studio: ") and "key" in told.err.splitlines()[-1].lower()
    assert not studio.rows()
