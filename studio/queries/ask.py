"""Asking: queries are put to a chatbot, or to base and tuned of a run, and each conversation is judged.

Answers are kept under a kind that tells what is expected of them and who judges. Where either changes, the same command
goes through all of them again: what the chatbot said and what is judged as before comes from the record of calls.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing, closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from studio.chatml import Messages, system
from studio.errors import UserError
from studio.inference import CountedCalls, Item, ItemsEvent, Made, run_items
from studio.jobs import JobContext
from studio.llm import (
    ChatModel,
    ModelSettings,
    OpenAIModel,
    Request,
    Sampling,
    author_model,
    check_budget,
    learned_at,
    resolve_settings,
)
from studio.llm.budget import check_priced
from studio.llm.concurrency import Concurrency
from studio.llm.settings import PATIENCE_VARIABLE, PRICE_VARIABLE
from studio.queries.expected import judge_expected
from studio.queries.make import judge_model
from studio.queries.simulate import converse
from studio.queries.stored import evenly, queries_of
from studio.queries.types import Answered, Asking, AskParams, Chatbot, Query
from studio.spec import LoadedSpec, load
from studio.store import Documents, Workspace
from studio.text.inert import inert_line

ASKING = "asking"
CHATBOT_PRICE_VARIABLE = "STUDIO_CHATBOT_PRICE"


async def main(params: dict[str, Any], context: JobContext) -> None:
    """Job entry for chatbots at an endpoint. Started again after a stop or a kill, it goes on."""
    asked = AskParams.model_validate(params, extra="ignore")
    loaded = load(Path(asked.spec_path))
    opened = Workspace.open(Path(asked.workspace), loaded.spec.slug, gives_up=lambda: context.cancel_requested)
    with closing(opened) as workspace:
        events = ask_chatbots(
            *(loaded, workspace, asked, lambda: context.stop_requested),
            cancel=lambda: context.cancel_requested,
            concurrency=Concurrency(asked.concurrency, context.folder),
        )
        async with aclosing(events):
            async for event in events:
                context.emit(event)


async def ask_chatbots(
    loaded: LoadedSpec,
    workspace: Workspace,
    asked: AskParams,
    stop: Callable[[], bool],
    *,
    cancel: Callable[[], bool] = lambda: False,
    concurrency: Callable[[], int] | None = None,
) -> AsyncGenerator[ItemsEvent, None]:
    """Ask ``asked.count`` queries and judge what comes; answers are documents of the asking's ``kind``.

    Events are those of :func:`studio.inference.run_items`. Raises :class:`studio.errors.UserError` where there are no
    queries, nobody judges what is expected, or another asking bears the name.
    """
    queries = evenly(await asyncio.to_thread(queries_of, workspace.documents, "people", asked.seed), asked.count)
    if not queries:
        remedy = f"make some first: studio queries make {loaded.path}"
        raise UserError("there are no queries to ask", where="ask", remedy=remedy)
    calls = CountedCalls(workspace.examples)
    await check_budget(asked.settings, author=asked.turns > 1)
    async with AsyncExitStack() as opened:
        simulator, judge = _open_models(loaded, asked, queries, calls)
        chatbots = []
        for one in asked.chatbots:
            await check_priced(one.settings, one.settings.model or one.name, CHATBOT_PRICE_VARIABLE)
            recorded = f"{one.name} {one.side}".strip()  # base and tuned are two on the record of calls
            model = OpenAIModel(one.settings, one.settings.model or one.name, call_log=calls, name=recorded)
            chatbots.append((one, model))
        for opened_model in {id(one): one for one in (simulator, judge, *(bot for _, bot in chatbots)) if one}.values():
            opened.push_async_callback(opened_model.close)
        asking = await asyncio.to_thread(begin_asking, loaded, workspace.documents, asked, judge.name if judge else "")
        questions = _Questions(loaded, asked, asking, simulator, judge)
        run = run_items(
            *("answers", asking.kind, questions.items(queries, chatbots), len(queries) * len(chatbots)),
            *(workspace.documents, calls),
            model=", ".join(asking.chatbots),
            stop=stop,
            cancel=cancel,
            concurrency=concurrency or Concurrency(asked.concurrency),
            retry_failed=asked.settings.retry_failed,
            note=f"asking {asking.id}",
        )
        async with learned_at(workspace.folder), aclosing(run) as events:
            async for event in events:
                yield event


def chatbot_settings(
    endpoint: str,
    model: str,
    key_variable: str | None,
    environ: dict[str, str],
    *,
    max_cost_usd: float | None = None,
) -> ModelSettings:
    """Where a chatbot is asked. It is sent the key that is named for it and no other, whatever ``environ`` holds; its
    price is that of :data:`CHATBOT_PRICE_VARIABLE`. Raises UserError as :func:`studio.llm.resolve_settings`."""
    kept = {PATIENCE_VARIABLE: environ[PATIENCE_VARIABLE]} if PATIENCE_VARIABLE in environ else {}
    if key_variable and key_variable in environ:
        kept[key_variable] = environ[key_variable]
    if CHATBOT_PRICE_VARIABLE in environ:
        kept[PRICE_VARIABLE] = environ[CHATBOT_PRICE_VARIABLE]
    return resolve_settings(endpoint, model, environ=kept, key_variable=key_variable, max_cost=max_cost_usd)


def begin_asking(loaded: LoadedSpec, documents: Documents, asked: AskParams, judge: str) -> Asking:
    """The asking of these parameters, kept under its name. Raises UserError where that is another one's."""
    check_name(asked.name)
    chatbots = tuple(f"{one.name} {one.side}".strip() for one in asked.chatbots)
    places = [one.settings.place if one.settings.uds is None else asked.run_id for one in asked.chatbots]
    mark = _digest([*chatbots, *places, asked.system, asked.turns, asked.max_tokens, asked.seed])
    name = asked.name or mark
    expected = [[topic.topic, *topic.expected] for topic in loaded.topics]
    asking = Asking(
        id=name,
        chatbots=chatbots,
        run_id=asked.run_id,
        mark=mark,
        seed=asked.seed,
        kind=f"answer {name} {_digest([expected, judge])}",
        turns=asked.turns,
        judge=judge,
        made=datetime.now(UTC),
    )

    def same(there: Asking | None) -> Asking:
        if there is not None and there.mark != mark:
            remedy = "give this one another --name"
            raise UserError(
                "another asking bears this name: chatbot, system prompt or turns differ", where=name, remedy=remedy
            )
        return asking

    return documents.update(ASKING, name, Asking, same)


def check_name(name: str) -> None:
    """Raises UserError for a name of an asking that could be no file's."""
    if name and not re.fullmatch(r"[\w][\w.-]{0,59}", name):
        remedy = "at most 60 letters, digits, dots, - and _"
        raise UserError("no such name of an asking", where=inert_line(name)[:80], remedy=remedy)


def askings(documents: Documents) -> list[Asking]:
    """Every one, the newest last."""
    return sorted(documents.readable(ASKING, Asking), key=lambda one: one.made)


def find_asking(documents: Documents, name: str = "") -> Asking:
    """The named one, or the newest. Raises UserError where there is none."""
    found = askings(documents)
    if not found:
        raise UserError("nothing was asked yet", remedy="studio queries ask SPEC --chatbot URL --chatbot-model NAME")
    known = {one.id: one for one in found}
    if name and name not in known:
        raise UserError("no such asking", where=name, remedy=f"one of: {', '.join(known)}")
    return known[name] if name else found[-1]


def answers_of(documents: Documents, asking: Asking) -> list[Answered]:
    """In the order in which they came."""
    return documents.readable(asking.kind, Answered)


def _open_models(
    loaded: LoadedSpec, asked: AskParams, queries: Sequence[Query], calls: CountedCalls
) -> tuple[ChatModel | None, ChatModel | None]:
    """The simulated user, where there is more than one turn, and the judge, where something is expected."""
    settings, topics = asked.settings, {one.topic for one in queries}
    there = not settings.author_offline and (settings.model is not None or settings.author_local is not None)
    if asked.turns > 1 and not there:
        remedy = "name who plays the customer: --endpoint URL --model NAME"
        raise UserError("a conversation of several turns needs a model", where="ask", remedy=remedy)
    wanted = any(topic.expected for topic in loaded.topics if topic.topic in topics)
    judge: ChatModel | None = judge_model(settings, calls) if wanted else None
    if wanted and judge is None and not there:
        remedy = "name who judges: --judge-endpoint URL --judge-model NAME, or --endpoint URL --model NAME"
        raise UserError("what is expected needs a model to judge it", where="ask", remedy=remedy)
    author = author_model(settings, calls) if asked.turns > 1 or (wanted and judge is None) else None
    return (author if asked.turns > 1 else None), (judge or author if wanted else None)


def _digest(parts: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()[:8]


class _Questions:
    """The items of one asking: each a query to one chatbot, the conversation that follows, and its marks."""

    def __init__(
        self,
        loaded: LoadedSpec,
        asked: AskParams,
        asking: Asking,
        simulator: ChatModel | None,
        judge: ChatModel | None,
    ) -> None:
        self._asked, self._simulator, self._judge = asked, simulator, judge
        self._expected = {topic.topic: topic.expected for topic in loaded.topics}
        self._seed = int(hashlib.sha256(f"asking {asking.id}".encode()).hexdigest()[:7], 16)

    def items(self, queries: Sequence[Query], chatbots: Sequence[tuple[Chatbot, ChatModel]]) -> Iterator[Item]:
        for query in queries:
            for chatbot, model in chatbots:
                id = f"{query.id} {chatbot.side}".strip()
                yield Item(id, partial(self._asked_one, id, query, chatbot, model))

    async def _asked_one(self, id: str, query: Query, chatbot: Chatbot, model: ChatModel) -> Made:
        async def ask(messages: Messages) -> str:
            said = (system(self._asked.system), *messages) if self._asked.system.strip() else messages
            sampling = Sampling(max_tokens=self._asked.max_tokens, seed=self._seed)
            return (await model.complete(Request(purpose="chat", messages=said, sampling=sampling))).text

        held = await converse(query, ask, self._simulator, self._asked.turns)
        expected = self._expected.get(query.topic, ())
        marks = await judge_expected(self._judge, query.topic, expected, held.messages) if self._judge else ()
        return Made(
            Answered(
                id=id,
                query_id=query.id,
                side=chatbot.side,
                chatbot=chatbot.name,
                topic=query.topic,
                user_type=query.user_type,
                background=query.background,
                person_id=query.person.id if query.person else "",
                messages=held.messages,
                end=held.end,
                faults=held.faults,
                written=held.written,
                marks=marks,
                judge=self._judge.name if self._judge and marks else "",
            )
        )
