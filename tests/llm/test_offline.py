"""A function stands behind the same interface as a real endpoint."""

import pytest
from pydantic import BaseModel

from studio.chatml import user
from studio.llm import ChatModel, ModelError, OfflineModel, Request


class Pair(BaseModel):
    a: int
    b: str = "x"


class Single(BaseModel):
    a: int


class Other(BaseModel):
    c: int


ASKED = Request(purpose="author", messages=(user("hi"),), brief=7)


def answer(request: Request) -> BaseModel:
    return Pair(a=request.brief)


async def test_it_answers_from_the_brief_in_every_way() -> None:
    model = OfflineModel("offline author", answer)
    assert isinstance(model, ChatModel)
    assert (await model.structured(ASKED, Pair)).value == Pair(a=7)
    assert (await model.structured(ASKED, Single)).value == Single(a=7)
    completion = await model.complete(ASKED)
    assert (completion.text, completion.model, completion.usage.cost_usd) == ('{"a":7,"b":"x"}', "offline author", 0.0)
    assert [piece async for piece in model.stream(ASKED)] == [completion.text]
    await model.close()


async def test_a_value_that_does_not_fit_is_malformed() -> None:
    with pytest.raises(ModelError) as caught:
        await OfflineModel("rules judge", answer).structured(ASKED, Other)
    assert (caught.value.kind, str(caught.value)) == ("malformed", "rules judge: c: Field required")


async def test_its_own_refusal_passes_through() -> None:
    def refuse(request: Request) -> BaseModel:
        raise ModelError("too_little", "no examples to write from")

    with pytest.raises(ModelError, match="no examples"):
        await OfflineModel("offline author", refuse).complete(ASKED)
