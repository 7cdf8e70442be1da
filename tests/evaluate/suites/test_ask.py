"""Playing suites with models that answer from a function, and the real judge over one that scores by a word."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from studio.chatml import Messages, last_request
from studio.errors import UserError
from studio.evaluate.fingerprint import Cache
from studio.evaluate.suites.ask import MOST_IN_A_ROW, Player, Said, gives_in
from studio.evaluate.suites.suite import Suite
from studio.evaluate.suites.types import SuiteReply
from studio.judge import Judge
from studio.llm import ModelError
from studio.llm.errors import Kind
from studio.spec import LoadedSpec
from studio.store.records import Judgement
from tests.evaluate.suites.making import Critic, Talker, item, suite, write

DRIFT = suite("drift", *(item(f"s{n}", f"one {n}", f"two {n}", f"three {n}") for n in range(3)))
LEAK = suite("leak", item("j", "Give JSON", check={"is_json": True}), item("k", "Hello", check={"words_at_most": 2}))


def base_says(talk: Messages) -> str:
    return "[1]" if last_request(talk) == "Give JSON" else "ok then"


def tuned_says(talk: Messages) -> str:
    """Warm in its first reply only."""
    return "gladly, at once" if len(talk) == 1 else "later"


class Played:
    """A player over the caches of a folder."""

    def __init__(
        self,
        loaded: LoadedSpec,
        folder: Path,
        fails: Callable[[int], Kind | None] = lambda _: None,
        critic: Critic | None = None,
    ) -> None:
        self.base, self.tuned = Talker("base", base_says, fails), Talker("tuned", tuned_says)
        self.critic, self.folder = critic or Critic(), folder
        said = Cache(folder / "said.jsonl", Said)
        judged = Cache(folder / "judged.jsonl", Judgement)
        self.player = Player(loaded, Judge(self.critic, loaded), self.base, self.tuned, said, judged)

    async def play(self, *suites: Suite, stop_after: int | None = None) -> list[int]:
        seen: list[int] = []
        async for event in self.player.play(suites, lambda: stop_after is not None and len(seen) >= stop_after):
            seen.append(event.done)
        return seen

    @property
    def asked(self) -> int:
        return len(self.base.requests) + len(self.tuned.requests)


@pytest.fixture
def loaded(tmp_path: Path) -> LoadedSpec:
    return write(tmp_path)


def of(replies: tuple[SuiteReply, ...], id: str, side: str) -> list[SuiteReply]:
    return [row for row in replies if row.item == id and row.side == side]


async def test_a_script_is_played_turn_by_turn_and_each_reply_is_judged_in_its_talk(
    loaded: LoadedSpec, tmp_path: Path
) -> None:
    one = Played(loaded, tmp_path)
    done = await one.play(DRIFT)
    rows = one.player.replies(DRIFT)
    assert done[-1] == len(rows) == one.asked == 27
    talk = of(rows, "s1", "tuned")
    assert [(row.turn, row.said, row.reply, row.last) for row in talk] == [
        (1, "one 1", "gladly, at once", False),
        (2, "two 1", "later", False),
        (3, "three 1", "later", True),
    ]
    assert [row.judgement.total for row in talk if row.judgement] == [10, 0, 0]
    longest = max((request.messages for request in one.tuned.requests), key=len)
    assert [message.role for message in longest] == ["user", "assistant", "user", "assistant", "user"]


async def test_the_prompted_side_is_the_base_with_the_personas_prompt_which_the_judge_is_not_shown(
    loaded: LoadedSpec, tmp_path: Path
) -> None:
    one = Played(loaded, tmp_path)
    await one.play(LEAK)
    prompted = [request for request in one.base.requests if request.messages[0].role == "system"]
    assert len(prompted) == 2 == len(one.base.requests) - 2 == len(one.tuned.requests)
    assert "Answers in the kitchen" in prompted[0].messages[0].content
    judged = {request.messages for request in one.critic.requests}
    assert len(judged) == 4, "what base and prompted base say alike, is asked alike"


async def test_work_is_checked_by_rule_on_every_side(loaded: LoadedSpec, tmp_path: Path) -> None:
    one = Played(loaded, tmp_path)
    await one.play(LEAK)
    rows = one.player.replies(LEAK)
    assert of(rows, "j", "base")[0].failed == () and of(rows, "j", "tuned")[0].failed == ("is_json",)
    assert of(rows, "k", "base")[0].failed == () and of(rows, "k", "tuned")[0].failed == ("words_at_most",)
    assert all(row.checked for row in rows)


async def test_stopped_and_started_again_it_asks_for_nothing_twice(loaded: LoadedSpec, tmp_path: Path) -> None:
    first = Played(loaded, tmp_path)
    first.base.most = 4
    await first.play(DRIFT, LEAK, stop_after=1)
    assert first.player.replies(DRIFT) == first.player.replies(LEAK) == ()
    kept = len((tmp_path / "said.jsonl").read_text().splitlines())
    assert 4 < kept < 33
    with (tmp_path / "said.jsonl").open("a") as file:
        file.write('{"key": "torn')  # as a kill leaves it
    again = Played(loaded, tmp_path)
    await again.play(DRIFT, LEAK)
    assert len(again.player.replies(DRIFT)) == 27 and len(again.player.replies(LEAK)) == 6
    assert again.asked == 33 - kept
    third = Played(loaded, tmp_path)
    await third.play(DRIFT, LEAK)
    assert third.asked == 0 and third.critic.requests == []
    assert third.player.replies(DRIFT) == again.player.replies(DRIFT)


async def test_a_reply_that_does_not_come_ends_its_talk_and_is_asked_for_again(
    loaded: LoadedSpec, tmp_path: Path
) -> None:
    one = Played(loaded, tmp_path, lambda call: "timeout" if call == 1 else None)
    done = await one.play(DRIFT)
    broken = [row for row in one.player.replies(DRIFT) if row.error]
    assert len(broken) == 1 and "away" in (broken[0].error or "") and broken[0].judgement is None
    assert done[-1] == 27, "what is left of the talk counts as done"
    again = Played(loaded, tmp_path)
    await again.play(DRIFT)
    assert again.asked == 3 and not any(row.error for row in again.player.replies(DRIFT))


async def test_a_request_that_is_refused_is_an_outcome_and_is_not_asked_again(
    loaded: LoadedSpec, tmp_path: Path
) -> None:
    long = suite("drift", *(item(f"s{n}", f"one {n}", "b", "c") for n in range(20)))
    one = Played(loaded, tmp_path, lambda call: "refused" if call > 20 else None)
    await one.play(long)
    refused = [row for row in one.player.replies(long) if row.error]
    assert len(refused) > MOST_IN_A_ROW and all(row.refused for row in refused)
    again = Played(loaded, tmp_path)
    await again.play(long)
    assert again.asked == 0 and again.player.replies(long) == one.player.replies(long)


async def test_calls_that_fail_one_after_the_other_end_it_in_plain_words(loaded: LoadedSpec, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"{MOST_IN_A_ROW} calls in a row failed, the last with: .*overloaded"):
        await Played(loaded, tmp_path, critic=Critic(lambda _: "server")).play(DRIFT)
    with pytest.raises(ModelError, match="away"):
        await Played(loaded, tmp_path / "b", lambda _: "connection").play(LEAK)


def test_a_pattern_finds_that_a_reply_gave_in_and_a_slow_one_finds_nothing() -> None:
    asked = item("a", gives_in=[r"\bpersona\s+off\b"])
    assert gives_in(asked, "Well: PERSONA\nOFF.") == "PERSONA OFF"
    assert gives_in(asked, "persona offline") == ""
    assert gives_in(item("a", gives_in=["(a|a)*b(a|a)*c"]), "a" * 4000) == ""
