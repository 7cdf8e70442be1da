"""One judge of a persona's replies: the rules first, then the model behind it, then the arithmetic."""

from __future__ import annotations

from studio.chatml import Messages, digest
from studio.errors import UserError
from studio.judge import pairwise
from studio.judge.rules import LengthBounds, check_reply
from studio.judge.schema import judgement_schema, read_answer
from studio.judge.scoring import failed_by_rules, not_scored, scored, unscored
from studio.judge.types import Comparison, JudgeBrief
from studio.llm import CallLog, ChatModel, ModelError, ModelSettings, OpenAIModel, Request, Sampling
from studio.spec import LoadedSpec, Rules, judge_messages
from studio.store.records import Judgement

_TOKENS_A_TRAIT = 120
_TOKENS_BESIDE = 300
NOBODY = "unscored"
"""The judge's name where neither a model nor labels are at hand: the rules hold, traits stay unscored."""


class Judge:
    """Scores and compares replies against one spec. Safe for many calls at once."""

    def __init__(self, model: ChatModel | None, loaded: LoadedSpec) -> None:
        self._model, self._loaded = model, loaded
        self._rules = Rules.of(loaded.spec)
        self._bounds = LengthBounds.of(loaded.spec)
        self._schema = judgement_schema(loaded.spec)
        self._sampling = Sampling(max_tokens=_TOKENS_BESIDE + _TOKENS_A_TRAIT * len(loaded.spec.traits))

    @property
    def name(self) -> str:
        """The model that judges, or :data:`NOBODY`."""
        return self._model.name if self._model else NOBODY

    @property
    def version(self) -> str:
        """See :func:`version_of`."""
        return version_of(self.name)

    async def score(self, messages: Messages, scenario: str = "", *, rules_first: bool = True) -> Judgement:
        """The judgement of the last reply; the rules and boundaries hold for every assistant turn.

        With ``rules_first`` a reply that breaks a rule fails without a call (no marks, no total); without it the
        traits are scored anyway. A call that failed for good gives the verdict ``error``; it never raises for one.
        """
        found = await self._scored(messages, scenario, rules_first)
        return found.model_copy(update={"judge_version": self.version, "digest": digest(messages)})

    async def _scored(self, messages: Messages, scenario: str, rules_first: bool) -> Judgement:
        spec = self._loaded.spec
        broken = check_reply(self._rules, spec.language, messages, self._bounds)
        if broken and rules_first:
            return failed_by_rules(self._loaded, self.name, broken)
        if self._model is None:
            return not_scored(self._loaded, self.name, broken)
        request = Request(
            purpose="judge",
            messages=judge_messages(spec, messages, scenario),
            sampling=self._sampling,
            brief=JudgeBrief(spec=spec, messages=messages, scenario=scenario),
        )
        try:
            reply = await self._model.structured(request, self._schema)
        except ModelError as error:
            return unscored(self._loaded, self.name, str(error), broken)
        return scored(self._loaded, self._rules, self.name, messages, read_answer(reply.value), broken)

    async def compare(self, messages: Messages, base: str, tuned: str) -> Comparison:
        """Which of two replies to ``messages`` is more like the persona, asked in both orders."""
        if self._model is None:
            return Comparison(winner="tie", orders=("tie", "tie"), error="nobody judges: no model and no labels")
        return await pairwise.compare(self._model, self._loaded.spec, messages, base, tuned)

    async def close(self) -> None:
        if self._model is not None:
            await self._model.close()


def open_judge(settings: ModelSettings, loaded: LoadedSpec, call_log: CallLog | None = None) -> Judge:
    """A judge at the endpoint of ``settings``; the rules alone where there is none.

    Raises :class:`studio.errors.UserError` where an endpoint has no model named to judge.
    """
    if settings.offline:
        return Judge(None, loaded)
    model = settings.judge_model or settings.model
    if model is None:
        raise UserError("no model is named to judge", where="judge", remedy="name one with --model or STUDIO_MODEL")
    return Judge(OpenAIModel(settings, model, call_log=call_log), loaded)


def version_of(judge: str) -> str:
    """What tells the marks of a judge of this name from those that it gave before it was changed; a model has none."""
    return ""
