"""The judge of a persona's replies: the rules first, then a model or what was learned from labels, then arithmetic."""

from __future__ import annotations

import asyncio
from typing import Literal

from studio.chatml import Messages, assistant, digest, last_reply
from studio.errors import UserError
from studio.judge.bias import SAME
from studio.judge.fit import MOST_TOKENS, FitAnswer, fit_messages, read_fit
from studio.judge.labels import labels_of, training
from studio.judge.learned import LearnedJudge
from studio.judge.prompt import compare_messages, judge_messages
from studio.judge.rubric import Preference, judgement_schema, read_answer
from studio.judge.rules import ReplyRules, broken
from studio.judge.scoring import concluded, estimated, scored, unscored
from studio.judge.types import LEARNED, NOBODY, RULES, Comparison, Finish, Kind, Source, Winner
from studio.llm import CallLog, ChatModel, ModelError, ModelSettings, OpenAIModel, Request, Sampling
from studio.spec import LoadedSpec
from studio.store.records import Fit, Judgement, Violation

MARGIN = 0.5
"""Totals, 0..10, that differ by no more than this are a tie: half of what one mark of one trait in five is worth."""
_TOKENS_A_TRAIT = 120
_TOKENS_BESIDE = 320
_COMPARING = Sampling(max_tokens=300)
_TIE: tuple[Winner, Winner] = ("tie", "tie")
_BY_ORDERS: dict[tuple[Winner, Winner], Literal["base", "tuned"]] = {
    ("first", "second"): "base",
    ("second", "first"): "tuned",
}


class Judge:
    """Scores and compares replies against one spec. Safe for many calls at once.

    Behind it is a model at an endpoint, a regression on labels, or nobody; the rules are the same for all.
    """

    last_error: ModelError | None = None
    """Why the last call failed. Of one's own call, where it is looked at as soon as its ``error`` has come."""

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
        loaded = self._loaded
        if self._model is None:
            violations = self.violations(messages)
        else:  # a classifier to load, or a slow pattern, must not hold up the answers that are under way
            violations = await asyncio.to_thread(self.violations, messages)
        if broken(violations) and (rules_first or self.kind == "nobody"):
            found = concluded(loaded, RULES, violations)
        elif self.learned is not None:
            estimate = await asyncio.to_thread(self.learned.estimate, messages, source)
            found = estimated(loaded, self.name, estimate, violations)
        elif self._model is not None:
            asked = judge_messages(loaded, messages, scenario, cut=finish == "length")
            request = Request(purpose="judge", messages=asked, sampling=self._sampling)
            try:
                answer = read_answer((await self._model.structured(request, self._schema)).value)
            except ModelError as error:
                self.last_error = error
                found = unscored(loaded, self.name, str(error), violations)
            else:
                found = scored(loaded, self.name, messages, scenario, answer, violations)
        else:
            found = concluded(loaded, NOBODY, violations)
        same = {"digest": digest(messages), "finish": finish, "preferred": self._rules.preferred(last_reply(messages))}
        version = {"judge_version": self.version} if found.judge == self.name else {}
        return found.model_copy(update=same | version)

    async def fit(self, messages: Messages, person: str) -> Fit | None:
        """Whether ``person``, told in a few sentences, could have typed the user's turns; None where no model judges.

        Raises :class:`studio.llm.ModelError`, which :attr:`last_error` keeps.
        """
        if self._model is None:
            return None
        asked = fit_messages(messages, person, self._loaded.spec.language)
        request = Request(purpose="judge", messages=asked, sampling=Sampling(max_tokens=MOST_TOKENS))
        try:
            return read_fit((await self._model.structured(request, FitAnswer)).value, self.name)
        except ModelError as error:
            self.last_error = error
            raise

    async def compare(self, messages: Messages, base: str, tuned: str) -> Comparison:
        """Which of two replies to ``messages``, which end with the user's turn, is more like the persona. ``error``
        where nobody can tell.

        A model is asked in both orders, because judges favour a place: where the orders disagree it is a tie, and equal
        replies are one that nobody is asked about. A regression compares its totals.
        """
        if self._model is not None:
            if base.strip() == tuned.strip():
                return _compared(self.name, rationale=SAME)
            try:
                forward, backward = await asyncio.gather(
                    self._prefer(self._model, messages, base, tuned), self._prefer(self._model, messages, tuned, base)
                )
            except ModelError as error:
                self.last_error = error
                return _compared(self.name, error=str(error))
            return _compared(self.name, (forward.winner, backward.winner), forward.rationale)
        if self.learned is not None:
            left, right = [
                await self.score((*messages, assistant(reply)), rules_first=False, source="run")
                for reply in (base, tuned)
            ]
            return _by_totals(left, right)
        return _compared(NOBODY, error="nobody judges: no model and no labels")

    async def _prefer(self, model: ChatModel, messages: Messages, first: str, second: str) -> Preference:
        asked = compare_messages(self._loaded, messages, first, second)
        request = Request(purpose="compare", messages=asked, sampling=_COMPARING)
        return (await model.structured(request, Preference)).value

    async def close(self) -> None:
        if self._model is not None:
            await self._model.close()


def _compared(
    judge: str, orders: tuple[Winner, Winner] = _TIE, rationale: str = "", error: str | None = None
) -> Comparison:
    """A verdict from those over (base, tuned) and (tuned, base); with an ``error`` it counts for nothing."""
    winner = _BY_ORDERS.get(orders, "tie")
    return Comparison(judge=judge, winner=winner, orders=orders, rationale=rationale, error=error)


def _by_totals(base: Judgement, tuned: Judgement) -> Comparison:
    """The reply with the higher total wins, by more than :data:`MARGIN`; one that crosses a boundary loses to one that
    does not. Where a total is missing it is an error, and no tie that counts."""
    error = base.error or tuned.error
    if error or base.total is None or tuned.total is None:
        return _compared(tuned.judge, error=error or "not every trait could be scored")
    crossed = [any(one.kind == "boundary" for one in side.violations) for side in (base, tuned)]
    difference = tuned.total - base.total
    rationale = f"totals {base.total:.1f} and {tuned.total:.1f}"
    if crossed[0] != crossed[1]:
        difference, rationale = 10.0 if crossed[0] else -10.0, "one of the two crosses a boundary"
    if abs(difference) <= MARGIN:
        return _compared(tuned.judge, _TIE, rationale)
    return _compared(tuned.judge, ("second", "first") if difference > 0 else ("first", "second"), rationale)


def open_judge(settings: ModelSettings, loaded: LoadedSpec, call_log: CallLog | None = None) -> Judge:
    """The model that ``settings`` name to judge; else what is learned from the spec's labels; else the rules alone.

    Nothing is loaded or trained before the first reply. Raises :class:`studio.errors.UserError` where an endpoint has
    no model named to judge, or a label cannot be read.
    """
    judging = settings.judging
    if judging.offline:
        labels = training(labels_of(loaded))
        return Judge(LearnedJudge(loaded.spec, labels) if labels else None, loaded)
    if judging.model is None:
        option = "--judge-model or STUDIO_JUDGE_MODEL" if settings.judge_endpoint else "--model or STUDIO_MODEL"
        raise UserError("no model is named to judge", where="judge", remedy=f"name one with {option}")
    if judging.judges or judging.judge_samples > 1:
        from studio.judge.panel import PanelJudge

        names = dict.fromkeys(judging.judges or (judging.model,))
        models = [OpenAIModel(judging, name, call_log=call_log) for name in names]
        return PanelJudge(models, loaded, judging.judge_samples)
    return Judge(OpenAIModel(judging, judging.model, call_log=call_log), loaded)
