"""Queries made by a model: topics x user types, a fresh person each, each query judged for its topic and compared with
all before it.

What is asked for a person names those before them, so it is on the disk before it is sent: asked again after a kill it
is the same request, and the record of calls answers it where an answer had come.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, closing
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from studio.bank.answer import MAX_TOKENS, AskerAnswer, person_request
from studio.bank.journal import Attempt
from studio.bank.person import Person, person_id
from studio.bank.profiles import SHOWN, profile_attempt, profile_slots
from studio.chatml import Unicode, system, user
from studio.dedup import ALIKE, STRICT, TwoStage
from studio.embed import Embedder, disk_embedder
from studio.errors import UserError
from studio.inference import CountedCalls, Item, ItemsEvent, ItemsFinished, Made, run_items
from studio.jobs import JobContext
from studio.llm import ChatModel, ModelSettings, OpenAIModel, Request, Sampling, author_model, check_budget, learned_at
from studio.llm.concurrency import Concurrency
from studio.queries.fit import Fit, topic_fit
from studio.queries.types import Arm, MakeParams, Query, query_kind
from studio.spec import LoadedSpec, Topic, UserType, load
from studio.spec.describe import block, joined, section
from studio.store import Workspace

OFF_TOPIC = "off topic"
DUPLICATE = "duplicate in "
"""Followed by ``words`` or ``meaning``."""
DOCUMENT_LIMIT = 24_000
"""Characters of the company's document that a prompt holds: about 6,000 tokens."""
MOST_REMOVED = 60
"""Queries in a row of which none counted end a run: there is nothing new to be had."""
_NAIVE = joined(
    [
        "You write what customers type to a company's chatbot.",
        "Answer with the JSON object alone.",
    ]
)


class NaiveAnswer(BaseModel):
    """What a customer types to the chatbot."""

    model_config = ConfigDict(extra="ignore")

    query: Unicode = Field(description="One message of a customer")

    @field_validator("query")
    @classmethod
    def _says(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("expected some words")
        return value.strip()


async def main(params: dict[str, Any], context: JobContext) -> None:
    """Job entry. Started again after a stop or a kill, as the same job or a new one, it goes on."""
    asked = MakeParams.model_validate(params, extra="ignore")
    loaded = load(Path(asked.spec_path))
    opened = Workspace.open(Path(asked.workspace), loaded.spec.slug, gives_up=lambda: context.cancel_requested)
    with closing(opened) as workspace:
        events = make_queries(
            *(loaded, workspace, asked, lambda: context.stop_requested),
            cancel=lambda: context.cancel_requested,
            concurrency=Concurrency(asked.concurrency, context.folder),
        )
        async with aclosing(events):
            async for event in events:
                context.emit(event)


async def make_queries(
    loaded: LoadedSpec,
    workspace: Workspace,
    asked: MakeParams,
    stop: Callable[[], bool],
    *,
    cancel: Callable[[], bool] = lambda: False,
    concurrency: Callable[[], int] | None = None,
    embedder: Embedder | None = None,
) -> AsyncGenerator[ItemsEvent, None]:
    """Make ``asked.count`` queries of an arm, as documents of :func:`studio.queries.types.query_kind`.

    Events are those of :func:`studio.inference.run_items`. Raises :class:`studio.errors.UserError` where the spec has
    no topics, and for the people's arm no user types.
    """
    check_topics(loaded, asked.arm)
    await check_budget(asked.settings)
    calls, kind = CountedCalls(workspace.examples), query_kind(asked.arm, asked.seed)
    author = author_model(asked.settings, calls)
    judge = judge_model(asked.settings, calls) or author
    try:
        there = await asyncio.to_thread(workspace.documents.readable, kind, Query)
        twins = TwoStage(embedder or disk_embedder(), STRICT if asked.strict else ALIKE)
        await asyncio.to_thread(twins.add, [(one.id, one.query) for one in there])
        making = _Making(loaded, workspace, asked, author, judge, twins, there)
        run = run_items(
            *("queries", kind, making.items(), asked.count, workspace.documents, calls),
            model=author.name,
            stop=stop,
            cancel=cancel,
            concurrency=concurrency or Concurrency(asked.concurrency),
            retry_failed=asked.settings.retry_failed,
        )
        async with learned_at(workspace.folder), aclosing(run) as events:
            async for event in events:
                if isinstance(event, ItemsFinished) and making.barren and not event.complete:
                    event = event.model_copy(update={"note": _barren(event)})
                yield event
    finally:
        await author.close()
        if judge is not author:
            await judge.close()


def check_topics(loaded: LoadedSpec, arm: Arm) -> None:
    """Raises :class:`UserError` where there is nothing to make queries of."""
    if not loaded.topics or (arm == "people" and not any(topic.example_types for topic in loaded.topics)):
        remedy = "add a file of topics and user types to the spec: beside: {profiles: customers.yaml}"
        raise UserError("the spec names no profiles", where=str(loaded.path), remedy=remedy)


def check_judge(settings: ModelSettings) -> None:
    """Raises :class:`UserError` where the judge has a server of its own and no name there."""
    if settings.judge_endpoint is not None and settings.judge_model is None:
        remedy = "name one with --judge-model or STUDIO_JUDGE_MODEL"
        raise UserError("no model is named to judge", where="judge", remedy=remedy)


def judge_model(settings: ModelSettings, calls: CountedCalls) -> OpenAIModel | None:
    """Who judges; None where that is the author too."""
    check_judge(settings)
    judging = settings.judging
    if judging.offline or judging.model is None or (judging == settings and settings.author_local is None):
        return None
    return OpenAIModel(judging, judging.model, call_log=calls)


def naive_request(topic: str, document: str, language: str, id: str) -> Request:
    """What is asked for one query of nobody in particular: the topic and the document alone."""
    asked = joined(
        [
            "Write one message that a customer types to the chatbot of this company.",
            _company(document),
            section("The topic", block("topic", topic)),
            f"In the language with the tag {language}.",
        ]
    )
    seed = int(person_id("seed", id)[-7:], 16)
    return Request(
        purpose="author",
        messages=(system(_NAIVE), user(asked)),
        sampling=Sampling(temperature=1.0, max_tokens=MAX_TOKENS, seed=seed),
    )


def _company(document: str) -> str:
    if not document.strip():
        return ""
    cut = "\n[the rest of the document is left out]" if len(document) > DOCUMENT_LIMIT else ""
    text = block("document", document[:DOCUMENT_LIMIT] + cut)
    return section("What the company says of itself. Customers have not read it, and quote nothing of it", text)


def _barren(event: ItemsFinished) -> str:
    most = max(event.reasons, key=lambda reason: event.reasons[reason], default="a failure")
    return f"none of the last {MOST_REMOVED} queries counted, most were {most}; another --seed or model may help"


class _Making:
    """The items of one run, and what its queries are compared with."""

    def __init__(
        self,
        loaded: LoadedSpec,
        workspace: Workspace,
        asked: MakeParams,
        author: ChatModel,
        judge: ChatModel,
        twins: TwoStage,
        there: Sequence[Query],
    ) -> None:
        self._loaded, self._asked, self._documents = loaded, asked, workspace.documents
        self._author, self._judge, self._twins = author, judge, twins
        self._attempts = f"{query_kind(asked.arm, asked.seed)} attempt"
        self._recent: defaultdict[tuple[str, str], deque[Person]] = defaultdict(lambda: deque(maxlen=SHOWN))
        self._one_by_one = asyncio.Lock()
        self._removed_in_a_row = 0
        language = loaded.spec.language
        written_in = "" if language.split("-")[0] == "en" else f"All is in the language with the tag {language}."
        self._about = joined([_company(loaded.context_text), written_in])
        for one in there:
            self._remember(one)

    @property
    def barren(self) -> bool:
        return self._removed_in_a_row >= MOST_REMOVED

    def items(self) -> Iterator[Item]:
        """In the same order every time; no more than three times as many as are wanted, and a few."""
        most = 3 * self._asked.count + 50
        for item in islice(self._people() if self._asked.arm == "people" else self._naive(), most):
            if self.barren:
                return
            yield item

    def _people(self) -> Iterator[Item]:
        for topic, kind, turn in profile_slots(self._loaded.topics):
            drawn = profile_attempt(topic, kind, turn, self._asked.seed, use="query").drawn
            yield Item(drawn.id, partial(self._by_a_person, topic, kind, turn, drawn.id))

    def _naive(self) -> Iterator[Item]:
        for turn in count():
            for topic in self._loaded.topics:
                id = person_id("naive", str(self._asked.seed), topic.topic, str(turn))
                yield Item(id, partial(self._by_nobody, topic.topic, id))

    async def _by_a_person(self, topic: Topic, kind: UserType, turn: int, id: str) -> Made:
        attempt = await asyncio.to_thread(self._documents.get, self._attempts, id, Attempt)
        if attempt is None:
            recent = tuple(self._recent[topic.topic, kind.example_type])
            attempt = profile_attempt(topic, kind, turn, self._asked.seed, recent, about=self._about, use="query")
            await asyncio.to_thread(self._documents.put, self._attempts, id, attempt)
        answer = (await self._author.structured(person_request(attempt.prompt, id), AskerAnswer)).value
        person = answer.person(attempt.drawn).model_copy(update={"model": self._author.name})
        made = Query(
            id=id,
            user_type=kind.example_type,
            background=person.background,
            query=person.query,
            topic=topic.topic,
            person=person,
            model=self._author.name,
            seed=self._asked.seed,
        )
        return await self._examined(made)

    async def _by_nobody(self, topic: str, id: str) -> Made:
        request = naive_request(topic, self._loaded.context_text, self._loaded.spec.language, id)
        answer = (await self._author.structured(request, NaiveAnswer)).value
        seed, model = self._asked.seed, self._author.name
        return await self._examined(Query(id=id, arm="naive", query=answer.query, topic=topic, model=model, seed=seed))

    async def _examined(self, made: Query) -> Made:
        """Judged for its topic first, so that nothing is a twin of one that does not count."""
        found: Fit = await topic_fit(self._judge, self._loaded.topics, made.topic, made.query)
        judged = {"about": found.about, "fit": found.fit, "fit_reason": found.reason, "judge": self._judge.name}
        made, reason = made.model_copy(update=judged), OFF_TOPIC if found.fit == 0 else ""
        if not reason:
            async with self._one_by_one:
                twin = await asyncio.to_thread(self._twins.take, made.id, made.query)
            if twin is not None:
                made = made.model_copy(update={"twin": twin.id, "similarity": round(twin.similarity, 4)})
                reason = f"{DUPLICATE}{twin.stage}"
        self._removed_in_a_row = self._removed_in_a_row + 1 if reason else 0
        if not reason:
            self._remember(made)
        return Made(made, reason)

    def _remember(self, made: Query) -> None:
        if made.person is not None:
            self._recent[made.topic, made.user_type].append(made.person)
