"""What people are for: a table with a row a use, as :mod:`studio.tui.screens.bank.methods` has one of how they come.

Another use is one more row of :data:`USES`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast, get_args

from pydantic import BaseModel

from studio.bank import study, talk
from studio.build import Session
from studio.build.items import items_job
from studio.build.queries import ASKING, ASKING_A_RUN, MAKING, ask_job, queries_job
from studio.errors import UserError
from studio.generate import effect_job, recipes
from studio.generate.recipes.solve import MOST_SAMPLES
from studio.inference import ItemsParams
from studio.llm import resolve_settings
from studio.queries import MOST_TURNS, AskParams, Chatbot, MakeParams, query_kind
from studio.queries.ask import chatbot_settings
from studio.train import runs
from studio.tui.screens.bank.methods import NO_MODEL, Method, Values, number

EFFECT = "studio.generate.effect_job:main"
NEWEST = "newest"
PARAMS: Mapping[str, type[ItemsParams]] = {
    recipes.ENTRY: recipes.RecipeParams,
    MAKING: MakeParams,
    ASKING: AskParams,
    ASKING_A_RUN: AskParams,
    talk.ENTRY: talk.TalkParams,
    study.ENTRY: study.StudyParams,
    EFFECT: effect_job.EffectParams,
}
"""What each job is asked, by its entry."""
SEED = "Another seed makes others; the same one goes on where it was."


def yes(values: Values, name: str) -> bool:
    """Raises UserError for what is neither yes nor no."""
    said = values[name].strip().lower()
    if said not in ("y", "yes", "n", "no", ""):
        raise UserError(f"{name}: expected yes or no")
    return said.startswith("y")


def one_of(values: Values, name: str, known: tuple[str, ...]) -> str:
    """Raises UserError for another word."""
    said = values[name].strip()
    if said not in known:
        raise UserError(f"{name}: expected one of {', '.join(known)}")
    return said


def again_for(session: Session, entry: str, params: Mapping[str, Any]) -> tuple[str, BaseModel] | None:
    """As :func:`studio.tui.screens.bank.methods.again`, of a job that uses people."""
    if "entry" in params and "params" in params:  # one whose model the studio served
        entry, params = params["entry"], params["params"]
    if entry not in PARAMS:
        return None
    asked = PARAMS[entry].model_validate(params, extra="ignore")
    return items_job(entry, asked.model_copy(update={"settings": session.settings}))


def _common(session: Session, values: Values) -> dict[str, Any]:
    return {
        "spec_path": str(session.loaded.path.absolute()),
        "workspace": str(session.root),
        "settings": session.settings,
        "seed": number(values, "seed", 0),
    }


def _recipe(session: Session, values: Values) -> tuple[str, BaseModel]:
    name, world = values["recipe"].strip(), values["world"].strip()
    asked = recipes.RecipeParams(
        **_common(session, values),
        recipe=name if name in recipes.BUILT_IN else str(_path(name)) if _path(name).is_file() else name,
        shots=cast(recipes.Shots, one_of(values, "shots", get_args(recipes.Shots))),
        count=number(values, "count", 1),
        samples=number(values, "samples", 0, MOST_SAMPLES),
        world=str(_path(world)) if world else None,
    )
    recipes.prepared(asked)
    return items_job(recipes.ENTRY, asked)


def _queries(session: Session, values: Values, *, naive: bool = False) -> tuple[str, BaseModel]:
    session = replace(session, seed=number(values, "seed", 0))
    arm, strict = "naive" if naive else "people", yes(values, "strict")
    return items_job(*queries_job(session, number(values, "count", 1), arm=cast(Any, arm), strict=strict))


def _ask(session: Session, values: Values) -> tuple[str, BaseModel]:
    session, turns = replace(session, seed=number(values, "seed", 0)), number(values, "turns", 1, MOST_TURNS)
    settings, documents = session.settings, session.workspace.documents
    url, model, run = (values[name].strip() for name in ("chatbot", "chatbot-model", "run"))
    judged = any(topic.expected for topic in session.loaded.topics)
    if settings.author_offline and (turns > 1 or (judged and settings.judging.offline)):
        what = "playing the customer" if turns > 1 else "judging the answers"
        raise UserError(f"{what} needs a model", remedy=NO_MODEL.removeprefix("There is none yet. "))
    if bool(url) == bool(run):
        remedy = "chatbot and chatbot-model of a server, or run for base and tuned of a run"
        raise UserError("expected one chatbot to ask", remedy=remedy)
    if url and not model:
        raise UserError("no model of the chatbot is named", remedy="name it in chatbot-model")
    if not documents.count(query_kind("people", session.seed)):
        remedy = "x, queries makes some; the seed here is that of the queries"
        raise UserError("there are no queries to ask", remedy=remedy)
    if run == NEWEST:
        found = runs(session.workspace)
        if not found:
            raise UserError("there is no run yet", remedy="5 trains one")
        run = found[0].plan.run_id
    key = values["chatbot-key"].strip() or None
    chatbot = None
    if url:
        asked = chatbot_settings(url, model, key, dict(os.environ), max_cost_usd=settings.max_cost_usd)
        chatbot = Chatbot(name=model, settings=asked)
    entry, params = ask_job(
        session,
        chatbot=chatbot,
        run_id=run,
        count=number(values, "count", 1),
        name=values["name"].strip(),
        system=_text(values["system"]),
        turns=turns,
    )
    return items_job(entry, params)


def _talk(session: Session, values: Values) -> tuple[str, BaseModel]:
    asked = talk.TalkParams(
        **_common(session, values),
        count=number(values, "count", 1),
        turns=number(values, "turns", talk.LEAST_CAP, talk.MOST_CAP),
        one_call=yes(values, "one-call"),
        language=values["language"].strip(),
    )
    return items_job(talk.ENTRY, asked)


def _study(session: Session, values: Values) -> tuple[str, BaseModel]:
    settings, prompt = session.settings, values["prompt"].strip()
    model, endpoint = values["other-model"].strip() or None, values["other-endpoint"].strip() or None
    other = None
    if model or endpoint:
        other = resolve_settings(
            endpoint=endpoint or settings.endpoint,
            model=model or settings.model,
            key_variable=None if endpoint else settings.key_variable,
            max_cost=settings.max_cost_usd,
            retry_failed=settings.retry_failed,
        )
    try:
        bins = tuple(sorted({float(one) for one in values["bins"].replace(",", " ").split()}))
    except ValueError:
        bins = ()
    if not bins or not all(0.05 <= one <= 0.95 for one in bins):
        raise UserError("bins: expected similarities from 0.05 to 0.95, such as .4 .6 .8")
    asked = study.StudyParams(
        **_common(session, values),
        pairs=number(values, "pairs", 3, 1000),
        bins=bins,
        tasks=tuple(dict.fromkeys(values["tasks"].replace(",", " ").split())),
        prompts=dict([study.read_prompt(_path(prompt))] if prompt else ()),
        other=other,
        sample=number(values, "sample", 2),
    )
    study.tasks_of(asked)
    return items_job(study.ENTRY, asked)


def _effect(session: Session, values: Values) -> tuple[str, BaseModel]:
    ask = number(values, "turns", effect_job.LEAST)
    return items_job(EFFECT, effect_job.EffectParams(**_common(session, values), ask=ask))


def _path(text: str) -> Path:
    return Path(text.strip()).expanduser().absolute()


def _text(name: str) -> str:
    if not name.strip():
        return ""
    try:
        return _path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise UserError("system: cannot be read as text", where=name.strip()) from None


_QUERIES_NOTE = f"strict: take two for one from half of their words or meaning on. {SEED}"
USES = (
    Method(
        "recipe",
        "What people would ask, know, be or need: math and logic problems, instructions, articles, characters, tools;"
        " or by a recipe of your own. Problems are solved several times and kept where solutions agree.",
        _recipe,
        {"recipe": "math", "shots": "persona", "count": "100", "samples": "3", "world": "", "seed": "0"},
        f"recipe: {', '.join(recipes.BUILT_IN)}, or a YAML file. shots: zero, few, persona. samples: solutions to each"
        f" problem, 0 for none. world: of npc, the file that describes it. {SEED}",
        stage=recipes.STAGE,
    ),
    Method(
        "queries",
        "What customers type to a chatbot: a fresh person of each user type on each topic of the spec's file, and their"
        " query, which is judged for its topic and compared with all before it.",
        _queries,
        {"count": "200", "strict": "no", "seed": "0"},
        _QUERIES_NOTE,
        needs="profiles in the spec",
        stage="queries",
    ),
    Method(
        "queries naive",
        "The same without people, by topic and document alone: what the others are compared with in their report, and"
        " in a blind vote.",
        lambda session, values: _queries(session, values, naive=True),
        {"count": "200", "strict": "no", "seed": "0"},
        _QUERIES_NOTE,
        needs="profiles in the spec",
        stage="queries",
    ),
    Method(
        "ask",
        "Puts queries to a chatbot, or to base and tuned of a run, and judges the answers by what their topic expects."
        " From two turns on the person holds the conversation.",
        _ask,
        {
            "chatbot": "",
            "chatbot-model": "",
            "chatbot-key": "",
            "run": "",
            "count": "200",
            "turns": "1",
            "system": "",
            "name": "",
            "seed": "0",
        },
        f"chatbot: the URL of its server; or run: an id, or {NEWEST}. chatbot-key: the variable that holds its key."
        " system: the file of its system prompt. Another name asks again.",
        needs="queries, a chatbot or run, and a judge",
        model=False,
        stage="ask",
    ),
    Method(
        "talk",
        "Two people of the bank talk with each other, each asked as itself. Code draws relation, mood, tone and medium,"
        " and ends it.",
        _talk,
        {"count": "50", "turns": "12", "one-call": "no", "language": "", "seed": "0"},
        "turns: of one at most. one-call: each whole in one answer, which costs less and sounds more alike. language: a"
        " tag, any, or the spec's if empty.",
        needs="two people with name and age",
        stage="talk",
    ),
    Method(
        "study",
        "How much a model's output changes with the person: two people who are so alike, one output each at"
        " temperature 0, for a free and a fixed prompt; by one model or two.",
        _study,
        {
            "pairs": "20",
            "bins": ".4 .6 .8",
            "tasks": ", ".join(study.DEFAULT),
            "prompt": "",
            "other-model": "",
            "other-endpoint": "",
            "sample": str(study.SAMPLE),
            "seed": "0",
        },
        f"pairs: of each similarity in bins. tasks: {', '.join(study.TASKS)}. prompt: the file of one of your own, with"
        " {person} in it. other-model: a second one to compare with. sample: people compared at most.",
        needs="some hundred people",
        stage="study",
    ),
    Method(
        "effect",
        "How much changing the person changes the user's turn, and which fields of a person act: the same scenario for"
        " several people, several times, with one field swapped at a time.",
        _effect,
        {"turns": str(5 * effect_job.LEAST), "seed": "0"},
        f"turns: {effect_job.LEAST} a scenario. The examples that are there already are compared without any: o, then"
        " effect.",
        needs="four whole people",
        stage="effect",
    ),
)
