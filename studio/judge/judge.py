"""The judge of a persona's replies: the rules first, then a model or what was learned from labels, then arithmetic."""

from __future__ import annotations

import asyncio

from studio.chatml import Messages, assistant, digest, last_reply
from studio.errors import UserError
from studio.judge.labels import labels_of, training
from studio.judge.learned import LearnedJudge
from studio.judge.pairwise import compare, compare_totals, tie
from studio.judge.prompt import judge_messages
from studio.judge.rubric import judgement_schema, read_answer
from studio.judge.rules import ReplyRules, broken
from studio.judge.scoring import estimated, failed_by_rules, not_scored, scored, unscored
from studio.judge.types import LEARNED, NOBODY, Comparison, Finish, Kind, Source
from studio.llm import CallLog, ChatModel, ModelError, ModelSettings, OpenAIModel, Request, Sampling
from studio.spec import LoadedSpec
from studio.store.records import Judgement, Violation

_TOKENS_A_TRAIT = 120
_TOKENS_BESIDE = 320


class Judge:
    """Scores and compares replies against one spec. Safe for many calls at once.

    Behind it is a model at an endpoint, a regression on labels, or nobody; the rules are the same for all.
    """

    def __init__(self, behind: ChatModel | LearnedJudge | None, loaded: LoadedSpec) -> None:
        self.learned = behind if isinstance(behind, LearnedJudge) else None
        self._model = None if isinstance(behind, LearnedJudge) else behind
        self._loaded = loaded
        self._rules = ReplyRules(loaded.spec)
        self._schema = judgement_schema(loaded.spec)
        self._sampling = Sampling(max_tokens=_TOKENS_BESIDE + _TOKENS_A_TRAIT * len(loaded.spec.traits))

    @property
    def kind(self) -> Kind:
        return "model" if self._model else "learned" if self.learned else "nobody"

    @property
    def name(self) -> str:
        """The model's name, ``learned judge``, or ``unscored`` where nobody judges traits."""
        return self._model.name if self._model else LEARNED if self.learned else NOBODY

    @property
    def version(self) -> str:
        """What tells the marks of this judge from those that it gave before its labels changed; a model has none."""
        return self.learned.version if self.learned else ""

    def violations(self, messages: Messages) -> tuple[Violation, ...]:
        """The rules that an assistant turn of ``messages`` breaks; see :meth:`studio.judge.ReplyRules.check`."""
        return self._rules.check(messages)

    async def score(
        self,
        messages: Messages,
        scenario: str = "",
        *,
        rules_first: bool = True,
        finish: Finish = "stop",
        source: Source = "author",
    ) -> Judgement:
        """The judgement of the last reply; the rules and boundaries hold for every assistant turn.

        With ``rules_first`` a reply that breaks a rule fails without a call (no marks, no total); without it the
        traits are scored anyway. ``scenario`` is what the user's side has to show, which a model alone can tell.
        ``finish`` is how the reply ended; it is kept. ``source`` is where the reply comes from. A call that failed for
        good gives the verdict ``error``; it never raises for one.
        """
        found = await self._scored(messages, scenario, rules_first, finish, source)
        same = {"digest": digest(messages), "finish": finish, "preferred": self._rules.preferred(last_reply(messages))}
        version = {"judge_version": self.version} if found.judge == self.name else {}
        return found.model_copy(update=same | version)

    async def _scored(
        self, messages: Messages, scenario: str, rules_first: bool, finish: Finish, source: Source
    ) -> Judgement:
        violations = self.violations(messages)
        if rules_first and broken(violations):
            return failed_by_rules(self._loaded, violations)
        if self.learned is not None:
            estimate = await asyncio.to_thread(self.learned.estimate, messages, source)
            return estimated(self._loaded, self.name, estimate, violations)
        if self._model is not None:
            return await self._asked(self._model, messages, scenario, violations, finish)
        return not_scored(self._loaded, violations)

    async def _asked(
        self, model: ChatModel, messages: Messages, scenario: str, violations: tuple[Violation, ...], finish: Finish
    ) -> Judgement:
        request = Request(
            purpose="judge",
            messages=judge_messages(self._loaded, messages, scenario, cut=finish == "length"),
            sampling=self._sampling,
        )
        try:
            reply = await model.structured(request, self._schema)
        except ModelError as error:
            return unscored(self._loaded, model.name, str(error), violations)
        return scored(self._loaded, model.name, messages, scenario, read_answer(reply.value), violations)

    async def compare(self, messages: Messages, base: str, tuned: str) -> Comparison:
        """Which of two replies to ``messages`` is more like the persona: a model is asked in both orders, a regression
        compares its totals. ``error`` where nobody can tell."""
        if self._model is not None:
            return await compare(self._model, self._loaded, messages, base, tuned)
        if self.learned is not None:
            left, right = [
                await self.score((*messages, assistant(reply)), rules_first=False, source="run")
                for reply in (base, tuned)
            ]
            return compare_totals(left, right)
        return tie(NOBODY, error="nobody judges: no model and no labels")

    async def close(self) -> None:
        if self._model is not None:
            await self._model.close()


def open_judge(settings: ModelSettings, loaded: LoadedSpec, call_log: CallLog | None = None) -> Judge:
    """The model at the endpoint of ``settings``; else what is learned from the spec's labels; else the rules alone.

    Nothing is loaded or trained before the first reply. Raises :class:`studio.errors.UserError` where an endpoint has
    no model named to judge, or a label cannot be read.
    """
    if settings.offline:
        labels = training(labels_of(loaded))
        return Judge(LearnedJudge(loaded.spec, labels) if labels else None, loaded)
    model = settings.judge_model or settings.model
    if model is None:
        raise UserError("no model is named to judge", where="judge", remedy="name one with --model or STUDIO_MODEL")
    return Judge(OpenAIModel(settings, model, call_log=call_log), loaded)
