"""Making queries over HTTP: fresh people, topic fit, twins; nothing lost and nothing paid twice over kills."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.errors import UserError
from studio.inference import ItemsFinished
from studio.jobs import start
from studio.llm import ModelSettings
from studio.queries import MakeParams, query_kind
from studio.queries.make import make_queries
from studio.queries.stored import evenly, export_queries, queries_of, removed_of
from studio.spec import LoadedSpec, load
from studio.store import Workspace
from tests.bank.making import WordVectors
from tests.llm.fake_server import FakeServer
from tests.queries.making import EXPECTED, SPEC, author, inside, query, said, schema_of


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    opened = Workspace.open(tmp_path, load(SPEC).spec.slug)
    yield opened
    opened.close()


@pytest.fixture
def loaded() -> LoadedSpec:
    return load(SPEC)


def asked(server: FakeServer, root: Path, count: int, **more: Any) -> MakeParams:
    settings = ModelSettings(endpoint=server.url, model="fake")
    return MakeParams(spec_path=str(SPEC), workspace=str(root), settings=settings, count=count, **more)


async def made(
    loaded: LoadedSpec, workspace: Workspace, params: MakeParams, stop: Callable[[], bool] = lambda: False
) -> ItemsFinished:
    events = [event async for event in make_queries(loaded, workspace, params, stop, embedder=WordVectors())]
    assert isinstance(events[-1], ItemsFinished)
    return events[-1]


async def test_each_query_is_a_fresh_person_s_and_misfits_are_kept_apart(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    async with FakeServer(author) as server:
        end = await made(loaded, workspace, asked(server, tmp_path, 72, concurrency=1))
        prompts = [said(body) for body in server.requests if schema_of(body) == "AskerAnswer"]
        judged = [body for body in server.requests if schema_of(body) == "FitAnswer"]
    found, gone = queries_of(workspace.documents), removed_of(workspace.documents)
    assert (end.done, end.complete, len(found)) == (72, True, 72)
    assert end.calls == 2 * (72 + end.removed) == workspace.examples.spent().calls
    assert {one.topic for one in found} == set(EXPECTED)
    types = Counter((one.topic, one.user_type) for one in found)
    assert len(types) == 24 and min(types.values()) >= 2
    people = [one.person for one in found]
    assert all(one is not None for one in people)
    assert len({one.name for one in people if one}) == 72 and len({one.query for one in found}) == 72
    assert all(one.background == one.person.background and one.fit == 2 for one in found if one.person)
    assert gone and {reason for reason, _ in gone} == {"off topic"} and end.reasons == {"off topic": len(gone)}
    assert all("weather" in one.query and (one.fit, one.about) == (0, "") for _, one in gone)
    assert all("What the company says of itself" in one and "Lindenfield Savings Bank" in one for one in prompts)
    later = [one for one in prompts if "Write nobody like them" in one]
    assert len(later) > 40  # all but the first of each user type name those before them
    assert all(any(f"Asks: {one.query}" in prompt for one in found) for prompt in later)
    # the judge is not told which topic a query was written for: it reads the same of all
    assert len({body["messages"][0]["content"] for body in judged}) == 1
    assert {inside(said(body), "query") for body in judged} == {one.query for one in [*found, *(q for _, q in gone)]}
    assert all(said(body).count("\n") == 2 for body in judged)


async def test_twins_go_with_the_twin_s_id_and_a_naive_author_that_has_no_more_ends_it(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    async with FakeServer(author) as server:
        end = await made(loaded, workspace, asked(server, tmp_path, 100, arm="naive", concurrency=1))
        prompts = [said(body) for body in server.requests if schema_of(body) == "NaiveAnswer"]
    found, gone = queries_of(workspace.documents, "naive"), removed_of(workspace.documents, "naive")
    assert not end.complete and end.done == len(found) <= 36 and "none of the last 60" in end.note
    assert {one.arm for one in found} == {"naive"} and not any(one.person or one.user_type for one in found)
    kept = {one.id: one.query for one in found}
    assert gone and all(reason.startswith("duplicate in ") for reason, _ in gone)
    assert all(
        kept[one.twin].split()[-3:] == one.query.split()[-3:] and (one.similarity or 0) >= 0.9 for _, one in gone
    )
    assert all("Lindenfield" in one and not inside(one, "user-type") for one in prompts)
    assert queries_of(workspace.documents) == []


async def test_more_are_made_with_a_larger_number_and_a_stop_says_how_to_go_on(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    async with FakeServer(author) as server:
        stop = lambda: workspace.documents.count(query_kind("people", 0)) >= 5  # noqa: E731
        end = await made(loaded, workspace, asked(server, tmp_path, 30, concurrency=2), stop)
        assert 5 <= end.done < 30 and "the same command goes on" in end.note
        end = await made(loaded, workspace, asked(server, tmp_path, 10, concurrency=2))
        first = len(server.requests)
        end = await made(loaded, workspace, asked(server, tmp_path, 10, concurrency=2))
        assert (end.known, end.calls, len(server.requests)) == (10, 0, first)
        assert (await made(loaded, workspace, asked(server, tmp_path, 14))).done == 14
        other = await made(loaded, workspace, asked(server, tmp_path, 6, seed=7))
    assert (other.known, other.done) == (0, 6) and len(queries_of(workspace.documents, seed=7)) == 6
    assert len(queries_of(workspace.documents)) == 14


async def test_a_spec_without_profiles_says_what_to_add(workspace: Workspace, tmp_path: Path) -> None:
    async with FakeServer(author) as server:
        with pytest.raises(UserError, match="names no profiles") as caught:
            await made(load(SPEC.with_name("taskmaster.yaml")), workspace, asked(server, tmp_path, 3))
    assert "profiles:" in caught.value.remedy and server.requests == []


async def test_killed_twice_and_started_again_no_query_is_lost_or_paid_twice(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One answer that was sent just as the process was killed, and that nobody read, is asked for once more."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    answered: list[str] = []
    idle, under_way, unread = asyncio.Event(), 0, 0

    async def slow(body: dict[str, Any]) -> Any:
        nonlocal under_way
        under_way += 1
        idle.clear()
        try:
            await asyncio.sleep(0.03)
        finally:
            under_way -= 1
            if not under_way:
                idle.set()
        answered.append(f"{schema_of(body)} {body.get('seed')} {said(body)}")
        return author(body)

    async with FakeServer(slow) as server:
        params = asked(server, tmp_path, 60, concurrency=6)
        for least in (8, 30):
            job = start(workspace.jobs_dir, "queries", "studio.queries.make:main", params)
            while workspace.documents.count("query") < least:
                assert job.view().state in ("starting", "running"), job.view().error
                await asyncio.sleep(0.02)
            pid = job.view().pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            assert (await asyncio.to_thread(job.wait, 30)).state == "dead"
            await asyncio.wait_for(idle.wait(), 30)
            unread = len(answered) - workspace.examples.spent().calls
        job = start(workspace.jobs_dir, "queries", "studio.queries.make:main", params)
        view = await asyncio.to_thread(job.wait, 120)
    assert view.state == "finished", view.error
    found, gone = queries_of(workspace.documents), removed_of(workspace.documents)
    assert len(found) == 60 == len({one.query for one in found})
    on_record = workspace.examples.spent().calls
    assert on_record == len(set(answered)) == 2 * (len(found) + len(gone))
    assert len(answered) - on_record == unread <= 2 * 6


def test_files_have_the_published_fields_and_no_formulas(tmp_path: Path) -> None:
    some = [query(1), query(2, query='=HYPERLINK("http://evil")\x1b[31m, "now"')]
    assert export_queries(some, tmp_path / "q.jsonl") == export_queries(some, tmp_path / "q.csv") == 2
    lines = [json.loads(line) for line in (tmp_path / "q.jsonl").read_text().splitlines()]
    assert list(lines[0]) == ["user_type", "background", "query", "topic"] and lines[1]["query"] == some[1].query
    rows = list(csv.DictReader((tmp_path / "q.csv").open()))
    assert rows[0]["query"] == some[0].query and rows[1]["query"].startswith("'=HYPERLINK") and "\x1b" not in str(rows)
    export_queries(some, tmp_path / "full.jsonl", full=True)
    assert json.loads((tmp_path / "full.jsonl").read_text().splitlines()[0])["person"]["name"]
    with pytest.raises(UserError, match="no such format"):
        export_queries(some, tmp_path / "q.xlsx")


def test_queries_are_drawn_from_every_topic_alike() -> None:
    some = [query(place, topic="a" if place < 8 else "b") for place in range(12)]
    assert Counter(one.topic for one in evenly(some, 6)) == {"a": 3, "b": 3}
    assert len(evenly(some, 99)) == 12
