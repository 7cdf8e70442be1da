"""Who writes, and what is asked of them."""

from __future__ import annotations

from random import Random

from studio.bank import person_text
from studio.errors import UserError
from studio.generate.types import AuthorBrief
from studio.llm import CallLog, ChatModel, ModelSettings, Request, Sampling, author_model
from studio.spec import LoadedSpec, Spec, SpecExample, author_messages
from studio.store import Person

SAMPLING = Sampling(temperature=1.0, max_tokens=2048)
"""Warm, for variety. The limit leaves room for models that think before they write."""
_SHOTS_OF_SCENARIO, _SHOTS = 2, 4


def open_author(settings: ModelSettings, loaded: LoadedSpec, call_log: CallLog | None = None) -> ChatModel:
    """The model that writes by ``settings``.

    Raises :class:`studio.errors.UserError` where there is none, or no model is named to write.
    """
    if settings.author_offline:
        remedy = "set OPENAI_API_KEY, or name a server: --endpoint URL --model NAME"
        raise UserError("nobody is there to write examples", where="author", remedy=remedy)
    return author_model(settings, call_log)


def author_request(loaded: LoadedSpec, category: str, scenario: str, person: Person, seed: int) -> Request:
    """What an author is asked for one example: the prompt, and the brief it was made from. Depends on nothing else."""
    messages = author_messages(
        loaded.spec,
        category=category,
        scenario=scenario,
        person_text=person_text(person),
        context=loaded.context_text,
        shots=shots(loaded.spec, category, scenario, Random(seed)),
    )
    brief = AuthorBrief(
        spec=loaded.spec,
        category=category,
        scenario=scenario,
        person=person,
        seed=seed,
        context=loaded.context_text,
    )
    return Request(
        purpose="author", messages=messages, sampling=SAMPLING.model_copy(update={"seed": seed}), brief=brief
    )


def shots(spec: Spec, category: str, scenario: str, random: Random) -> tuple[SpecExample, ...]:
    """Hand-written examples to learn from: of the scenario first, then of its category, then any."""
    items = spec.scenarios[category].items if category in spec.scenarios else ()
    own = [example for example in spec.examples if example.scenario == scenario]
    near = [example for example in spec.examples if example.scenario in items and example.scenario != scenario]
    far = [example for example in spec.examples if example.scenario is None or example.scenario not in items]
    chosen = random.sample(own, min(_SHOTS_OF_SCENARIO, len(own)))
    chosen += random.sample(near, min(_SHOTS - 1 - len(chosen), len(near)))
    return tuple(chosen + random.sample(far, min(_SHOTS - len(chosen), len(far))))
