"""The commands against an OpenAI-compatible server: a real author and a real judge, each paid once."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from studio.generate import Authored
from studio.spec import LoadedSpec
from studio.store import Row
from tests.build.making import Commands
from tests.llm.fake_server import FakeServer
from tests.llm.faults import Drop, Raw, Status, Truncate, limited

AUTHOR, JUDGE = "writer-1", "critic-1"
WANTED = 20


class Model:
    """Writes the spec's hand-written examples, by the situation that the prompt asks for; judges with every key.

    It answers ``most`` requests and holds the others back until ``release``.
    """

    def __init__(self, loaded: LoadedSpec, most: int | None = None) -> None:
        self._spec, self._most = loaded.spec, most
        self._asked: Counter[str] = Counter()
        self.answered: list[str] = []
        self.held = 0
        self.release = asyncio.Event()

    async def __call__(self, body: dict[str, Any]) -> dict[str, Any]:
        form = body["response_format"]["json_schema"]["schema"]["properties"]
        value = self._written(body) if "messages" in form else self._judged(form)
        if self._most is not None and len(self.answered) >= self._most and not self.release.is_set():
            self.held += 1
            await self.release.wait()
        self.answered.append(request_key(body))
        return value

    def _written(self, body: dict[str, Any]) -> dict[str, Any]:
        assert body["model"] == AUTHOR
        text = body["messages"][-1]["content"].split("The situation to write")[1]
        every = [item for category in self._spec.scenarios.values() for item in category.items]
        scenario = max((item for item in every if item in text), key=len)
        own = [example for example in self._spec.examples if example.scenario == scenario]
        example = own[self._asked[scenario] % len(own)]
        self._asked[scenario] += 1
        return Authored.of(example.turns).model_dump()

    def _judged(self, form: dict[str, Any]) -> dict[str, Any]:
        assert set(form) == {"violations", "steps", "preferred", "traits"}
        mark = {"rationale": "It shows.", "quote": "", "score": 2}
        return {
            "violations": [],
            "steps": {step.step: True for step in self._spec.patterns},
            "preferred": [],
            "traits": dict.fromkeys(self._spec.trait_names, mark),
        }


def request_key(body: dict[str, Any]) -> str:
    return json.dumps({name: body[name] for name in ("model", "messages", "seed") if name in body}, sort_keys=True)


def options(server: FakeServer) -> tuple[str, ...]:
    places = ("--endpoint", server.url, "--model", AUTHOR, "--judge-model", JUDGE)
    return (*places, "--examples", str(WANTED), "--json")


async def until(condition: Callable[[], object], seconds: float = 120) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - others change it, in other processes
            await asyncio.sleep(0.02)


def check_provenance(rows: dict[str, Row]) -> None:
    assert rows
    for row in rows.values():
        assert row.example.author == AUTHOR and row.example.prompt[0].role == "system"
        assert row.example.person_id and row.example.job_id
        assert row.judgement is not None
        if row.status == "accepted":
            assert row.judgement.judge == JUDGE and row.judgement.total == 10
            assert all(mark.rationale == "It shows." for mark in row.judgement.traits.values())


async def test_examples_are_written_and_judged_whatever_goes_wrong_on_the_way(tmp_path: Path) -> None:
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
    async with FakeServer(Model(studio.loaded), faults=faults, models=(AUTHOR, JUDGE)) as server:
        told = await asyncio.to_thread(studio.run, "generate", *options(server))
        assert told.status == 0, told.err
        asked = len(server.requests)
        assert all(body["response_format"]["type"] == "json_schema" for body in server.requests)
        assert {body["model"] for body in server.requests} == {AUTHOR, JUDGE}
        again = await asyncio.to_thread(studio.run, "generate", *options(server))
        assert again.status == 0 and "kept: " in again.err and len(server.requests) == asked
    assert told.json == again.json
    assert all(one["accepted"] >= one["target"] for one in told.json["categories"].values())
    check_provenance(studio.rows())
    spent = studio.workspace.examples.spent()
    assert spent.calls >= 2 * WANTED and spent.prompt_tokens > 0 and spent.completion_tokens > 0


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
    assert told.status == 2 and told.out == "" and "Traceback" not in told.err
    assert told.err.splitlines()[-1].startswith("studio: ") and "key" in told.err.splitlines()[-1].lower()
    assert not studio.rows()
