"""A model for tests that does what each recipe asks: other things for each prompt, and
solutions that are right in other notations."""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress
from typing import Any

from tests.bank.making import person

ODD = "nobody can count"
"""In a problem on which solutions disagree."""
NOTATIONS = ("{0}", "{0}.0", "x = {0}", "\\boxed{{{0}}}", "{0} crates", "The answer is {0}.")
WORLD = """The Drowned March lies below the Salt Stair. Its people follow the tides and pay the Lamp Wardens.

Kethrin is the only town that stands dry. The Lamp Wardens light it from the tower of Oum, and take toll in oil.
"""


def fields(body: dict[str, Any]) -> set[str]:
    """Those of the schema, in the format of the answer or in words at the end of the prompt."""
    form = body.get("response_format", {}).get("json_schema")
    if form is not None:
        return set(form["schema"]["properties"])
    said = body["messages"][1]["content"]
    for start in (found.start() for found in re.finditer(r'\{"', said)):
        with suppress(ValueError):
            schema, _ = json.JSONDecoder().raw_decode(said, start)
            if "properties" in schema:
                return set(schema["properties"])
    raise AssertionError(said[-300:])


def answer(body: dict[str, Any]) -> dict[str, Any]:
    """What is asked for, told from the schema alone; the same for the same prompt and seed."""
    asked, said = fields(body), body["messages"][1]["content"]
    number = int(hashlib.sha256(f"{said} {body.get('seed')}".encode()).hexdigest()[:8], 16)
    if asked == {"reasoning", "answer"}:
        return solution(said, number)
    one, other = person(number), person(number + 1)
    story = f"{one.background} {other.background} {one.chatting_style}. {other.place} and {one.place}; {one.name}."
    if asked == {"persona"}:
        return {"persona": f"A {one.profession} in {one.place} whose days are long"}
    if "problem" in asked:
        count, each = 2 + number % 97, 3 + number % 89
        problem = f"{story} There are {count} stacks of {each} crates. How many crates are there in all?"
        return {"problem": problem} | ({"trap": "It is only a product of two numbers."} if "trap" in asked else {})
    if asked == {"instruction"}:
        return {"instruction": f"pls rewrite this for me: {story}"}
    if asked == {"question", "article"}:
        return {"question": f"What about {one.name} then?", "article": f"{story} " * 4}
    if "secret" in asked:
        return {
            "name": one.name,
            "role": f"{one.profession} of Kethrin",
            "story": f"{story} Oum is near.",
            "wants": one.background,
            "secret": other.background,
            "meeting": f"{story} At the stair.",
            "lines": [one.chatting_style, other.chatting_style],
        }
    name = f"find_{one.name.split()[0].lower()}"
    code = f"def {name}(place):\n    if not place:\n        raise ValueError('expected a place')\n    return [place]\n"
    return {
        "need": story,
        "name": name,
        "description": f"Finds {other.background} Call it in {one.place}.",
        "parameters": [{"name": "place", "type": "string", "what": "Where", "required": "yes"}],
        "returns": "An array of strings",
        "code": code,
        "example": f"{name}('x')\n['x']",
    }


def solution(problem: str, number: int) -> dict[str, Any]:
    """Right, in one notation or another; of an odd problem each time something else."""
    found = re.search(r"(\d+) stacks of (\d+) crates", problem)
    product = int(found[1]) * int(found[2]) if found else 42
    if ODD in problem:
        return {"reasoning": "I guess.", "answer": str(number)}
    return {"reasoning": f"That makes {product}.", "answer": NOTATIONS[number % len(NOTATIONS)].format(product)}
