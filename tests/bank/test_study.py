"""Studies over HTTP: what follows the person is shown to, what does not is not, and nobody is asked twice."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.bank.person import person_text
from studio.bank.study import ENTRY, Output, Study, StudyParams, latest_study, make_study
from studio.bank.study.record import Trend
from studio.errors import UserError
from studio.inference import ItemsFinished, ItemsProgressed
from studio.jobs import start
from studio.llm import ModelSettings
from studio.spec import load
from studio.store import Workspace
from tests.bank.making import WordVectors, person
from tests.bank.studying import FIXED, bank, follows_the_free_prompt, is_free, scatters
from tests.llm.fake_server import FakeServer
from tests.llm.faults import Status

SPEC = Path(__file__).parents[2] / "specs" / "bank-support.yaml"
PAIRS = 20
PEOPLE = 3 * 2 * PAIRS


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    opened = Workspace.open(tmp_path, load(SPEC).spec.slug)
    opened.examples.add_people(bank(PAIRS))
    yield opened
    opened.close()


def asked(server: FakeServer, workspace: Workspace, **more: Any) -> StudyParams:
    settings = ModelSettings(endpoint=server.url, model="fake")
    root = str(workspace.folder.parent)
    return StudyParams(**{"spec_path": str(SPEC), "workspace": root, "settings": settings, "pairs": 10} | more)


async def made(workspace: Workspace, params: StudyParams) -> tuple[Study, ItemsFinished, list[Any]]:
    events = [event async for event in make_study(workspace, params, lambda: False, embedder=WordVectors())]
    study = latest_study(workspace)
    assert study is not None and isinstance(events[-1], ItemsFinished)
    return study, events[-1], events


def trend(study: Study, task: str, model: str = "fake", measure: str = "cosine") -> Trend:
    return next(one for one in study.trends if (one.task, one.model, one.measure) == (task, model, measure))


async def test_a_prompt_whose_outputs_follow_the_person_shows_it_and_one_whose_do_not_shows_that(
    workspace: Workspace,
) -> None:
    async with FakeServer(follows_the_free_prompt) as server:
        study, end, events = await made(workspace, asked(server, workspace))
        assert all(body["temperature"] == 0 for body in server.requests)
    assert isinstance(events[0], ItemsProgressed) and events[0].task == "people compared"
    assert (end.complete, end.note, study.compared) == (True, "", PEOPLE)
    assert [(one.centre, one.used) for one in study.bins] == [(0.4, 10), (0.6, 10), (0.8, 10)]
    for measure in ("cosine", "words"):
        free = trend(study, "free", measure=measure)
        assert free.rho is not None and free.low is not None and free.rho > 0.9 and free.low > 0.8 and free.n == 30
        assert "closer their outputs" in free.told
        means = [one.mean for one in study.spreads if (one.task, one.measure) == ("free", measure)]
        assert means == sorted(means) and means[2] - means[0] > 0.25
        fixed = trend(study, "constrained", measure=measure)
        assert fixed.rho is None and "changes nothing" in fixed.told
    fixed_spreads = [one for one in study.spreads if one.task == "constrained"]
    assert len(fixed_spreads) == 6 and {(one.least, one.mean, one.most) for one in fixed_spreads} == {(1.0, 1.0, 1.0)}
    page = study.page
    assert "~0.80" in page["free prompt, fake"] and "changes nothing" in page["constrained prompt, fake"]
    assert max(len(line) for name in page if " prompt, " in name for line in page[name].splitlines()) <= 78
    assert Study.model_validate_json(study.model_dump_json()) == study and "free fake 0.9" in study.title


async def test_outputs_that_scatter_show_no_trend(workspace: Workspace) -> None:
    async with FakeServer(scatters) as server:
        study, *_ = await made(workspace, asked(server, workspace, tasks=("free",)))
    found = trend(study, "free")
    assert found.low is not None and found.high is not None and found.low < 0 < found.high
    assert found.told == "no trend that 30 pairs could show"


async def test_everybody_is_asked_once_a_prompt_and_a_second_study_only_for_what_is_new(workspace: Workspace) -> None:
    async with FakeServer(follows_the_free_prompt) as server:
        study, end, _ = await made(workspace, asked(server, workspace))
        people = {id for pair in study.pairs for id in (pair.first, pair.second)}
        prompts = [body["messages"][0]["content"] for body in server.requests]
        assert len(prompts) == len(set(prompts)) == 2 * len(people) == end.calls
        again, end, _ = await made(workspace, asked(server, workspace))
        assert (end.calls, len(server.requests), again.pairs) == (0, len(prompts), study.pairs)
        _, end, _ = await made(workspace, asked(server, workspace, tasks=("free", "math")))
        assert end.calls == len(people) and end.done == 2 * len(people)  # free is on record
    kept = workspace.documents.all(f"study {study.id}", Output)
    assert len(kept) == 2 * len(people) and kept[0].title.startswith(("free, fake: ", "constrained, fake: "))
    assert workspace.documents.count("study") == 2


async def test_two_people_who_say_the_same_are_asked_for_once(workspace: Workspace) -> None:
    workspace.examples.add_people([one.model_copy(update={"id": f"again {one.id}"}) for one in bank(PAIRS)])
    async with FakeServer(follows_the_free_prompt) as server:
        study, _, _ = await made(workspace, asked(server, workspace))
        prompts = [body["messages"][0]["content"] for body in server.requests]
    assert study.compared == PEOPLE and len(prompts) == len(set(prompts))


async def test_two_models_are_told_apart_and_each_has_its_own_trend(workspace: Workspace) -> None:
    async with FakeServer(follows_the_free_prompt) as one, FakeServer(scatters) as other:
        more = ModelSettings(endpoint=other.url, model="second")
        study, _, _ = await made(workspace, asked(one, workspace, other=more, tasks=("free",)))
        assert {body["model"] for body in one.requests} == {"fake"}
        assert {body["model"] for body in other.requests} == {"second"}
        assert len(one.requests) == len(other.requests)
        same_name = ModelSettings(endpoint=other.url, model="fake")
        named, _, _ = await made(workspace, asked(one, workspace, other=same_name, tasks=("free",)))
        with pytest.raises(UserError, match="both models are fake"):
            await made(workspace, asked(one, workspace, other=ModelSettings(endpoint=one.url, model="fake")))
    assert study.models == ("fake", "second")
    first, second = trend(study, "free"), trend(study, "free", "second")
    assert first.rho is not None and first.rho > 0.9 and second.rho is not None and abs(second.rho) < 0.5
    assert named.models == (f"fake at {one.url}", f"fake at {other.url}")


async def test_a_prompt_of_ones_own_is_asked_with_the_person_in_it(workspace: Workspace) -> None:
    async with FakeServer(lambda body: body["messages"][0]["content"][:400]) as server:
        params = asked(server, workspace, tasks=(), prompts={"letter": "A letter by {person} please."})
        study, _, _ = await made(workspace, params)
        said = server.requests[0]["messages"][0]["content"]
    assert said.startswith("A letter by <person") and study.tasks == {"letter": "A letter by {person} please."}
    assert {one.task for one in study.trends} == {"letter"}


async def test_a_bank_with_too_few_pairs_says_how_many_and_what_to_do(workspace: Workspace, tmp_path: Path) -> None:
    async with FakeServer(follows_the_free_prompt) as server:
        study, end, _ = await made(workspace, asked(server, workspace, pairs=60, bins=(0.4, 0.8, 0.95)))
        assert f"of {PEOPLE} people compared there are only" in end.note and "0 of 60 pairs at 0.95" in end.note
        assert "studio bank relations" in end.note and study.note == end.note and len(study.pairs) < 120
        few = Workspace.open(tmp_path, "few")
        few.examples.add_people([person(1), person(2)])
        with pytest.raises(UserError, match="no two people are as alike as wanted"):
            await made(few, asked(server, workspace))
        few.close()
        nobody = Workspace.open(tmp_path, "nobody")
        with pytest.raises(UserError, match="nobody is in the bank"):
            await made(nobody, asked(server, workspace))
        nobody.close()
        with pytest.raises(UserError, match="no such prompt"):
            await made(workspace, asked(server, workspace, tasks=("nope",)))


async def test_what_the_model_refuses_is_left_out_of_the_pairs(workspace: Workspace) -> None:
    refused = person_text(bank(PAIRS)[0]).split(". ")[0]

    def every(body: dict[str, Any]) -> Status | None:
        return Status(400, "no") if is_free(body) and refused in body["messages"][0]["content"] else None

    async with FakeServer(follows_the_free_prompt, every=every) as server:
        study, end, _ = await made(workspace, asked(server, workspace, pairs=18))
    missing = [one for one in study.pairs if bank(PAIRS)[0].id in (one.first, one.second)]
    assert end.errors == 1 and trend(study, "constrained").n == len(study.pairs)
    assert trend(study, "free").n == len(study.pairs) - len(missing) and missing


async def test_killed_and_started_again_no_output_is_lost_or_paid_twice(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    answered: list[str] = []
    idle, under_way, unread = asyncio.Event(), 0, 0

    async def slow(body: dict[str, Any]) -> str:
        nonlocal under_way
        under_way += 1
        idle.clear()
        try:
            await asyncio.sleep(0.1)
        finally:
            under_way -= 1
            if not under_way:
                idle.set()
        answered.append(json.dumps(body["messages"]))
        return follows_the_free_prompt(body) if is_free(body) else FIXED

    def kept() -> int:
        with workspace.examples.database.reading() as connection:
            found = connection.execute("SELECT count(*) FROM documents WHERE kind LIKE 'study %'").fetchone()
        return int(found[0])

    async with FakeServer(slow) as server:
        params = asked(server, workspace, concurrency=4, bins=(0.8, 0.9), pairs=20)  # as the real embeddings find them
        for least in (5, 15):
            job = start(workspace.jobs_dir, "study", ENTRY, params)
            while kept() < least:
                assert job.view().state in ("starting", "running"), job.view().error
                await asyncio.sleep(0.02)
            pid = job.view().pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            assert (await asyncio.to_thread(job.wait, 30)).state == "dead"
            await asyncio.wait_for(idle.wait(), 30)
            unread = len(answered) - workspace.examples.spent().calls
        job = start(workspace.jobs_dir, "study", ENTRY, params)
        view = await asyncio.to_thread(job.wait, 120)
    assert view.state == "finished", view.error
    study = latest_study(workspace)
    assert study is not None and all(one.n == len(study.pairs) for one in study.trends)
    on_record = workspace.examples.spent().calls
    assert len(set(answered)) == on_record == kept() >= 20
    assert len(answered) - on_record == unread <= 2 * 4
