"""Models behind a server that behave: an author of queries, a judge, a customer, and a bank's chatbot."""

from __future__ import annotations

import asyncio
import hashlib
import re
import threading
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from studio.queries import Query
from studio.spec import load
from tests.bank.making import answer, person
from tests.llm.fake_server import FakeServer

SPEC = Path(__file__).parents[2] / "specs" / "bank-support.yaml"
EXPECTED = {topic.topic: topic.expected for topic in load(SPEC).topics}
OPENINGS = "My, So, Hi, Since Monday my, After work my, Sorry, Please, Right, Again my, Look".split(", ")
MATTERS = (
    "sister needs an answer before her train leaves,neighbour says it is wrong,boss wants proof by noon,"
    "app shows nothing,last try ended in tears,letter never came,three clerks told three things,clock is against me"
).split(",")


def schema_of(body: Mapping[str, Any]) -> str:
    """The name of the answer that is asked for; empty for free text."""
    return str(body.get("response_format", {}).get("json_schema", {}).get("name", ""))


def said(body: Mapping[str, Any]) -> str:
    return str(body["messages"][-1]["content"])


def inside(text: str, tag: str) -> str:
    """What stands between the tags of this name."""
    found = re.search(rf"<{tag}-[0-9a-f]+>\n(.*?)\n</{tag}-", text, re.DOTALL)
    return found[1] if found else ""


def topic_in(text: str) -> str:
    return next((topic for topic in EXPECTED if topic.casefold() in text.casefold()), "")


def number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def author(body: dict[str, Any]) -> dict[str, Any] | str:
    """Writes people whose queries differ, naive queries that do not, and judges."""
    match schema_of(body):
        case "AskerAnswer":
            made = answer(body)
            draw, topic = number(made["background"]), inside(said(body), "topic")
            matter = f"{OPENINGS[draw % 10]} {MATTERS[draw // 10 % 8]}, {made['background'].rstrip('.').lower()}"
            about = "the weather in spring" if draw % 9 == 0 else topic.lower()
            return made | {"query": f"{matter}. It is about {about}"}
        case "NaiveAnswer":
            words = ("How do I deal with", "What are the rules for", "Can you help me with")
            return {"query": f"{words[body['seed'] % 3]} {inside(said(body), 'topic').lower()}?"}
        case "FitAnswer":
            topic = topic_in(inside(said(body), "query"))
            place = [*EXPECTED].index(topic) + 1 if topic else 0
            return {"reason": "by its words", "topic": place, "also": [], "fit": 2 if topic else 0}
        case "Marks":
            return marks(body)
        case "UserTurn":
            return customer(body)
    raise AssertionError(f"nobody here answers a {schema_of(body)}")


def marks(body: Mapping[str, Any]) -> dict[str, Any]:
    """A judge that reads: met where an answer says the item, contradicted where it says the wrong fee."""
    items = re.findall(r"^(\d+)\. (.*)$", said(body).partition("<conversation-")[0], re.MULTILINE)
    answers = "\n".join(re.findall(r"<chatbot-[0-9a-f]+>\n(.*?)\n</chatbot-", said(body), re.DOTALL))
    found = {}
    for place, item in items:
        if item in answers:
            mark = {"reason": "it says so", "quote": item, "verdict": "met"}
        elif "25 dollars" in answers and "12 dollars" in item:
            mark = {"reason": "another fee", "quote": "it costs 25 dollars", "verdict": "contradicted"}
        else:
            mark = {"reason": "missing", "quote": "", "verdict": "not met"}
        found[f"item_{place}"] = mark
    return found


def chatbot(body: dict[str, Any]) -> str:
    """A bank's chatbot: it says all that is expected, but is wrong about payments abroad and knows no overdrafts."""
    topic = topic_in(" ".join(turn["content"] for turn in body["messages"] if turn["role"] == "user"))
    if topic == "Payments abroad":
        return "A transfer abroad takes a day and it costs 25 dollars."
    if topic == "Savings and overdrafts":
        return "Please look at our web site."
    return "\n".join(EXPECTED.get(topic, ("I can help with banking.",)))


def customer(body: dict[str, Any]) -> dict[str, Any]:
    """Asks for the date after the first answer, and is settled after the second."""
    turns = said(body).count("<chatbot-")
    state = "goes on" if turns < 2 else "settled"
    return {"thought": "hm", "state": state, "message": "and until when is that?" if turns < 2 else ""}


def query(place: int, topic: str = "Payments abroad", **more: Any) -> Query:
    """The same one for the same place."""
    who = person(place, topic=topic)
    made = {"id": f"q{place}", "query": f"{who.background} It is about {topic.lower()}", "topic": topic, "person": who}
    return Query.model_validate(made | {"user_type": "Student", "background": who.background} | more)


@contextmanager
def serving(*servers: FakeServer) -> Iterator[list[str]]:
    """Servers in a thread with a loop of its own, for commands that run in this one; their URLs."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def run(what: Coroutine[Any, Any, object]) -> None:
        asyncio.run_coroutine_threadsafe(what, loop).result(10)

    began = []
    try:
        for server in servers:
            run(server.__aenter__())
            began.append(server)
        yield [server.url for server in servers]
    finally:
        for server in began:
            run(server.__aexit__(None, None, None))
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
