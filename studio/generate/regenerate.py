"""Regenerating an example: another reply to the same user's turn, or another conversation of the same scenario and
person, with a person's note to the author. The new one stands beside the old, judged, as an example of its own."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field, field_validator

from studio.chatml import Frozen, Message, Messages, assistant, user
from studio.dedup import HeldOut
from studio.errors import UserError
from studio.generate.author import SAMPLING, author_request
from studio.generate.plan import Attempt, digest_of
from studio.generate.prompt import Authored
from studio.generate.screening import Screened, Screening, rejection
from studio.judge import open_judge
from studio.llm import ModelSettings, Request, author_model, check_budget
from studio.spec import LoadedSpec, held_out_texts
from studio.spec.describe import block
from studio.store import Example, Person, Row, Workspace
from studio.store.records import Verdict

_SEEDS = 2**31


class NewReply(BaseModel):
    """What the persona answers instead."""

    model_config = ConfigDict(extra="ignore")

    reply: str = Field(description="The persona's new reply to the last message, and nothing else")

    @field_validator("reply")
    @classmethod
    def _said(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("expected some words")
        return value.strip()


class Regenerated(Frozen):
    """The new example and what was made of it; ``reasons`` say why it was rejected."""

    example_id: str
    instead_of: str
    verdict: Verdict
    total: float | None
    reasons: tuple[str, ...]


async def regenerate(
    loaded: LoadedSpec,
    workspace: Workspace,
    settings: ModelSettings,
    row: Row,
    note: str = "",
    *,
    whole: bool = False,
) -> Regenerated:
    """Ask the author for another reply to the user's last turn in ``row``; with ``whole`` for another conversation of
    its scenario and person. Two replies to one prompt, one accepted and one rejected, are a preference pair.

    ``note`` says in a person's words what was wrong. Raises UserError where no model writes or a budget is spent, and
    ModelError where no answer came; nothing is stored then.
    """
    if settings.author_offline:
        remedy = "name a server: --endpoint URL --model NAME; or write it yourself: e edits, b writes a new one"
        raise UserError("no model is there to write another", where="author", remedy=remedy)
    await check_budget(settings, author=True)
    store, seed = workspace.examples, secrets.randbelow(_SEEDS)
    person = store.person(row.example.person_id) or Person(id=row.example.person_id, source="hand")
    attempt = Attempt(row.example.category, row.example.scenario, 0, seed, person, "")
    written = author_request(loaded, attempt)
    model = author_model(settings, store)
    judge = open_judge(settings, loaded, store)
    try:
        if whole:
            asked = (*written.messages[:-1], user(_with_note(written.messages[-1].content, note)))
            request = Request(purpose="author", messages=asked, sampling=written.sampling)
            messages = (await model.structured(request, Authored)).value.turns
            found = Screening(store, loaded.spec).screen("", messages)
        else:
            asked = (_instructions(written.messages[0]), user(_another(row.messages, note)))
            request = Request(purpose="author", messages=asked, sampling=SAMPLING.model_copy(update={"seed": seed}))
            reply = (await model.structured(request, NewReply)).value.reply
            messages = (*row.messages[:-1], assistant(reply))
            found = _against(row, messages, HeldOut(held_out_texts(loaded.spec)))
        judgement = (
            rejection(loaded, messages, found) if found.reason else await judge.score(messages, row.example.scenario)
        )
    finally:
        await model.close()
        await judge.close()
    example = Example(
        id=digest_of("regenerated", row.example.id, f"{seed}"),
        spec_hash=loaded.hash,
        category=row.example.category,
        scenario=row.example.scenario,
        person_id=person.id,
        messages=messages,
        author=model.name,
        prompt=asked,
        seed=seed,
        neighbour=found.neighbour,
        created=datetime.now(UTC),
    )
    store.add_person(person)
    store.add_example(example, judgement)
    return Regenerated(
        example_id=example.id,
        instead_of=row.example.id,
        verdict=judgement.verdict,
        total=judgement.total,
        reasons=judgement.reasons,
    )


def _against(row: Row, messages: Messages, held_out: HeldOut) -> Screened:
    """Another reply is beside its own prompt on purpose: only the same one again is a duplicate."""
    if (probe := held_out.asked_in(messages)) is not None:
        return Screened(None, "held_out", probe)
    return Screened(None, "duplicate", row.example.id) if messages == row.messages else Screened(None)


def _instructions(written: Message) -> Message:
    """Those of every conversation, but for the form of the answer."""
    return written.model_copy(update={"content": written.content.partition("Answer with one JSON object")[0].rstrip()})


def _another(messages: Messages, note: str) -> str:
    turns = "\n".join(f"{one.role}: {one.content}" for one in messages[:-1])
    asked = (
        f"A conversation up to the user's last message:\n{block('conversation', turns)}\n"
        f"This reply to it was turned down:\n{block('reply', messages[-1].content)}\n"
        "Write the persona's reply to that last message anew, in other words and with another idea. Keep to the "
        "persona, and to what the user said."
    )
    return _with_note(asked, note) + "\nAnswer with one JSON object whose only key is `reply`."


def _with_note(text: str, note: str) -> str:
    return (
        f"{text}\nThe person who reviews these says of the last one:\n{block('note', note)}" if note.strip() else text
    )
