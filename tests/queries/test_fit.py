"""Topic fit: what a judge says is held against the topic that it was not told."""

from __future__ import annotations

import pytest

from studio.llm import Request
from studio.queries.fit import FitAnswer, topic_fit
from studio.spec import load
from tests.llm.function_model import FunctionModel
from tests.queries.making import EXPECTED, SPEC, query

TOPICS = [*EXPECTED]


@pytest.mark.parametrize(
    ("topic", "also", "said", "fit", "about"),
    [
        (1, [], 2, 2, TOPICS[0]),  # the wanted one, squarely
        (1, [], 1, 1, TOPICS[0]),
        (2, [1], 2, 1, TOPICS[1]),  # one of several
        (2, [3], 2, 0, TOPICS[1]),
        (0, [], 0, 0, ""),
        (1, [], 0, 0, ""),
        (99, [], 2, 0, ""),  # no such number
        (0, [1], 2, 0, ""),
    ],
)
async def test_the_wanted_topic_counts_where_it_was_found(
    topic: int, also: list[int], said: int, fit: int, about: str
) -> None:
    def answer(request: Request) -> FitAnswer:
        return FitAnswer.model_validate({"reason": "r", "topic": topic, "also": also, "fit": said})

    found = await topic_fit(FunctionModel("judge", answer), load(SPEC).topics, TOPICS[0], "anything")
    assert (found.fit, found.about) == (fit, about)


def test_a_query_has_a_title_and_a_page_for_lists() -> None:
    one = query(1, query="a\x1b[31m\nb", fit=1, about="Fraud", fit_reason="half", twin="q0", similarity=0.914)
    assert one.title == "a\ufffd[31m b"
    assert one.page["topic fit"] == "1 of 2, taken for: Fraud. half" and one.page["twin"] == "q0 (0.91)"
