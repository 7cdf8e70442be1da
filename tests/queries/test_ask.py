"""Asking a chatbot over HTTP: a wrong topic is found, conversations end, nothing is paid twice, triage has the rest."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.dataset import export_chatml
from studio.errors import UserError
from studio.generate.rejudge import stale_ids
from studio.inference import ItemsFinished
from studio.jobs import start
from studio.judge import open_judge
from studio.llm import ModelSettings
from studio.queries import AskParams, Chatbot, Query
from studio.queries.ask import answers_of, ask_chatbots, askings, chatbot_settings, find_asking
from studio.queries.mismatches import ask_report, markdown
from studio.queries.review import CATEGORY, send_to_triage, upheld
from studio.spec import LoadedSpec, load
from studio.store import Filter, Workspace
from studio.triage import Triage
from tests.llm.fake_server import FakeServer
from tests.queries.making import EXPECTED, SPEC, author, chatbot, query, said, schema_of


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    opened = Workspace.open(tmp_path, load(SPEC).spec.slug)
    for place, topic in enumerate([*EXPECTED] * 3):
        one = query(place, topic, user_type=f"{topic}, type {place // 12 % 2}")
        opened.documents.put("query", one.id, one)
    yield opened
    opened.close()


@pytest.fixture
def loaded() -> LoadedSpec:
    return load(SPEC)


def asked(models: FakeServer | None, bot: FakeServer, root: Path, **more: Any) -> AskParams:
    settings = ModelSettings(endpoint=models.url, model="fake") if models else ModelSettings()
    bots = (Chatbot(name="bot", settings=ModelSettings(endpoint=bot.url, model="bot")),)
    given = {"settings": settings, "chatbots": bots, "concurrency": 4} | more
    return AskParams(spec_path=str(SPEC), workspace=str(root), **given)


async def answered(
    loaded: LoadedSpec, workspace: Workspace, params: AskParams, stop: Callable[[], bool] = lambda: False
) -> ItemsFinished:
    events = [event async for event in ask_chatbots(loaded, workspace, params, stop)]
    assert isinstance(events[-1], ItemsFinished)
    return events[-1]


async def test_the_topic_on_which_a_chatbot_is_wrong_is_found_with_its_words(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    async with FakeServer(author) as models, FakeServer(chatbot) as bot:
        end = await answered(loaded, workspace, asked(models, bot, tmp_path, system="You are Linden."))
        assert len(bot.requests) == len(models.requests) == 36
        assert all(body["messages"][0] == {"role": "system", "content": "You are Linden."} for body in bot.requests)
        assert all(len(body["messages"]) == 2 for body in bot.requests)
    assert (end.done, end.calls, end.complete) == (36, 72, True)
    asking = find_asking(workspace.documents)
    report = ask_report(asking, found := answers_of(workspace.documents, asking))
    (side,) = report.sides
    assert (side.answers, side.judged, side.mismatched.events, side.contradicted.events) == (36, 36, 6, 3)
    assert side.mismatched.low == pytest.approx(0.0787, abs=1e-3)  # Wilson's interval of 6 of 36
    assert side.mismatched.high == pytest.approx(0.3189, abs=1e-3)
    wrong = {rate.name for rate in side.topics if rate.events}
    assert wrong == {"Payments abroad", "Savings and overdrafts"}
    assert all(rate.share == 1.0 for rate in side.topics if rate.name in wrong)
    assert {rate.name for rate in side.user_types if rate.events} == {f"{t}, type {k}" for t in wrong for k in (0, 1)}
    fee = next(one for one in side.items if "12 dollars" in one.expected)
    assert fee.counts == {"contradicted": 3} and side.unquoted == 0
    mark = next(mark for one in found for mark in one.mismatches if mark.verdict == "contradicted")
    assert mark.quote == "it costs 25 dollars" and mark.quoted
    page = markdown(report, found)
    assert "| Payments abroad | 3 of 3, 100% (44 to 100)" in page and "it costs 25 dollars" in page
    assert page.count("### ") == 6


async def test_a_quote_that_stands_in_no_answer_is_told(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    def careless(body: dict[str, Any]) -> Any:
        found = author(body)
        assert isinstance(found, dict)
        return {name: mark | {"quote": "words that nobody said", "verdict": "met"} for name, mark in found.items()}

    async with FakeServer(careless) as models, FakeServer(chatbot) as bot:
        await answered(loaded, workspace, asked(models, bot, tmp_path, count=12))
    asking = find_asking(workspace.documents)
    (side,) = ask_report(asking, answers_of(workspace.documents, asking)).sides
    assert side.answers == 12 and side.unquoted == sum(map(len, EXPECTED.values()))


async def test_the_same_command_asks_nobody_and_other_expectations_are_judged_anew_without_asking_again(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    async with FakeServer(author) as models, FakeServer(chatbot) as bot:
        params = asked(models, bot, tmp_path)
        await answered(loaded, workspace, params)
        end = await answered(loaded, workspace, params)
        assert (end.known, end.calls, len(bot.requests)) == (36, 0, 36)
        first, *others = loaded.topics
        changed = loaded.model_copy(
            update={"topics": (first.model_copy(update={"expected": ("Says hello",)}), *others)}
        )
        end = await answered(changed, workspace, params)
        assert (end.done, end.calls, len(bot.requests), len(models.requests)) == (36, 3, 36, 39)
        (asking,) = askings(workspace.documents)
        marks = [one.marks for one in answers_of(workspace.documents, asking) if one.topic == first.topic]
        assert [[mark.expected for mark in some] for some in marks] == [["Says hello"]] * 3
        # another name asks again, as after the chatbot has changed
        end = await answered(loaded, workspace, params.model_copy(update={"name": "later"}))
        assert end.done == 36 and len(bot.requests) == 72
        assert [one.id for one in askings(workspace.documents)] == [asking.id, "later"]
        with pytest.raises(UserError, match="another asking bears this name"):
            await answered(loaded, workspace, params.model_copy(update={"name": "later", "turns": 2}))


async def test_a_topic_that_expects_nothing_is_only_shown_and_needs_no_judge(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    bare = loaded.model_copy(update={"topics": tuple(t.model_copy(update={"expected": ()}) for t in loaded.topics)})
    async with FakeServer(chatbot) as bot:
        end = await answered(bare, workspace, asked(None, bot, tmp_path, count=12))
        asking = find_asking(workspace.documents)
        (side,) = ask_report(asking, answers_of(workspace.documents, asking)).sides
        assert (end.done, end.calls, side.answers, side.judged, side.mismatched.text) == (12, 12, 12, 0, "-")
        with pytest.raises(UserError, match="needs a model to judge"):
            await answered(loaded, workspace, asked(None, bot, tmp_path, count=12))
        with pytest.raises(UserError, match="several turns needs a model"):
            await answered(bare, workspace, asked(None, bot, tmp_path, count=12, turns=3))


async def test_a_person_holds_the_conversation_which_keeps_the_query_and_ends_when_the_matter_is_settled(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    async with FakeServer(author) as models, FakeServer(chatbot) as bot:
        await answered(loaded, workspace, asked(models, bot, tmp_path, count=12, turns=8))
        turns = [body for body in models.requests if schema_of(body) == "UserTurn"]
        assert len(bot.requests) == 24 and len(turns) == 24
    asking = find_asking(workspace.documents)
    found = answers_of(workspace.documents, asking)
    queries = {one.id: one for one in workspace.documents.all("query", Query)}
    for one in found:
        asks = queries[one.query_id]
        assert [turn.role for turn in one.messages] == ["user", "assistant"] * 2
        assert one.messages[0].content == asks.query and one.messages[2].content == "and until when is that?"
        assert (one.end, one.written, one.faults) == ("settled", 1, {})
        prompts = [body["messages"][0]["content"] for body in turns if asks.query in said(body)]
        assert (
            prompts
            and asks.person
            and all(asks.person.name in one and asks.person.background in one for one in prompts)
        )
    (side,) = ask_report(asking, found).sides
    assert (side.mean_turns, side.ends, side.mismatched.events) == (2.0, {"settled": 12}, 2)


async def test_killed_and_started_again_no_answer_is_lost_or_paid_twice(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    sent: list[str] = []
    idle, under_way = asyncio.Event(), 0

    def slowly(answer: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
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
            sent.append(f"{body['model']} {schema_of(body)} {body['messages']}")
            return answer(body)

        return slow

    async with FakeServer(slowly(author)) as models, FakeServer(slowly(chatbot)) as bot:
        params = asked(models, bot, tmp_path, turns=3, name="k")
        job = start(workspace.jobs_dir, "ask", "studio.queries.ask:main", params)

        def done() -> int:
            known = askings(workspace.documents)
            return workspace.documents.count(known[0].kind) if known else 0

        while done() < 10:
            assert job.view().state in ("starting", "running"), job.view().error
            await asyncio.sleep(0.02)
        pid = job.view().pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert (await asyncio.to_thread(job.wait, 30)).state == "dead"
        await asyncio.wait_for(idle.wait(), 30)
        unread = len(sent) - workspace.examples.spent().calls
        job = start(workspace.jobs_dir, "ask", "studio.queries.ask:main", params)
        view = await asyncio.to_thread(job.wait, 120)
    assert view.state == "finished", view.error
    found = answers_of(workspace.documents, find_asking(workspace.documents, "k"))
    assert len(found) == 36 and all(one.end == "settled" and one.judged for one in found)
    on_record = workspace.examples.spent().calls
    assert on_record == len(set(sent)) == 36 * 5  # two answers, two turns of the customer, one judgement
    assert len(sent) - on_record == unread <= 2 * 4


async def test_a_mismatch_goes_to_triage_as_pending_and_is_trained_on_only_when_corrected(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    async with FakeServer(author) as models, FakeServer(chatbot) as bot:
        await answered(loaded, workspace, asked(models, bot, tmp_path))
    asking = find_asking(workspace.documents)
    found, queries = answers_of(workspace.documents, asking), workspace.documents.all("query", Query)
    sent = send_to_triage(loaded, workspace, asking, found, queries)
    assert (sent.added, sent.known, sent.unusable) == (6, 0, 0)
    assert send_to_triage(loaded, workspace, asking, found, queries).known == 6
    store = workspace.examples
    rows = list(store.each(Filter(category=CATEGORY)))
    assert len(rows) == 6 == store.count(Filter(status="pending")) and store.count(Filter(status="accepted")) == 0
    row = next(one for one in rows if one.example.scenario == "Payments abroad")
    assert (row.example.origin, row.example.author, row.status) == ("asked", "bot", "pending")
    assert row.judgement and any(one.name.startswith("contradicted: ") for one in row.judgement.violations)
    asker = store.person(row.example.person_id)
    assert asker is not None and asker.source == "hand" and asker.background
    assert export_chatml(workspace, loaded, write=False).count == 0
    assert not {one.category for one in store.counts()} & set(loaded.spec.scenarios)  # no target counts them
    right = row.messages[-1].model_copy(update={"content": "It costs 12 dollars and takes 2 to 4 working days."})
    assert not set(stale_ids(loaded, store, open_judge(ModelSettings(), loaded))) & {one.example.id for one in rows}
    assert upheld(workspace, found).n == 0
    Triage(workspace).edit(row.example.id, (*row.messages[:-1], right))
    other = next(one for one in rows if one.example.id != row.example.id)
    Triage(workspace).reject(other.example.id, "wrong")
    assert (upheld(workspace, found).events, upheld(workspace, found).n) == (2, 2)
    Triage(workspace).accept(other.example.id)  # a person says that it was right
    assert (upheld(workspace, found).events, upheld(workspace, found).n) == (1, 2)
    Triage(workspace).reset(other.example.id)
    assert export_chatml(workspace, loaded, write=False).count == 1


def test_a_chatbot_is_sent_the_key_that_is_named_for_it_and_no_other() -> None:
    there = {
        "OPENAI_API_KEY": "ours",
        "STUDIO_KEY_VARIABLE": "OPENAI_API_KEY",
        "BOT_KEY": "theirs",
        "STUDIO_MODEL": "m",
    }
    found = chatbot_settings("https://bot.example", "bot", None, there)
    assert (found.key(there), found.model, found.judge_model) == (None, "bot", None)
    assert chatbot_settings("https://bot.example", "bot", "BOT_KEY", there).key(there) == "theirs"
    priced = chatbot_settings(
        "https://b.example", "bot", None, there | {"STUDIO_CHATBOT_PRICE": "1/2", "STUDIO_PRICE": "9/9"}
    )
    assert priced.price is not None and (priced.price.prompt, priced.price.completion) == (1, 2)
    with pytest.raises(UserError, match="is not set"):
        chatbot_settings("https://bot.example", "bot", "NO_SUCH", there)
