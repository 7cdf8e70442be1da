# ruff: noqa: RUF001
from __future__ import annotations

import random
import subprocess
import sys

import pytest

from studio.dedup import NearDuplicates, shingles
from studio.dedup.minhash import BANDS
from tests.dedup.similarity import jaccard

REPLY = (
    "Nice work getting the budget report out of the way before lunch, that is a big one off your list and "
    "it clears the afternoon for the interviews."
)


def texts(count: int, words: int, seed: int = 1) -> list[str]:
    rng = random.Random(seed)
    known = [f"word{number}" for number in range(400)]
    return [" ".join(rng.choices(known, k=words)) for _ in range(count)]


def edited(text: str, rng: random.Random) -> str:
    words = text.split()
    words[rng.randrange(len(words))] = "elsewhere"
    return " ".join(words)


def index_of(corpus: list[str], threshold: float = 0.9) -> NearDuplicates:
    index = NearDuplicates(threshold)
    for number, text in enumerate(corpus):
        index.add(str(number), text)
    return index


def test_a_reply_said_again_in_another_order_is_a_duplicate() -> None:
    index = index_of([REPLY])
    assert index.duplicate_of(REPLY.upper() + "!!") == ("0", 1.0)


def test_one_word_edits_of_24_words_are_all_found() -> None:
    rng = random.Random(2)
    corpus = texts(500, 24)
    index = index_of(corpus)
    missed = [number for number, text in enumerate(corpus) if index.duplicate_of(edited(text, rng)) is None]
    assert missed == []


def test_what_the_index_proposes_is_verified_exactly() -> None:
    """Of texts that share most words many are proposed; only those at the threshold are called duplicates."""
    rng = random.Random(3)
    corpus = texts(200, 24)
    index = index_of(corpus)
    proposed = 0
    for text in corpus:
        near = text
        for _ in range(3):
            near = edited(near, rng)
        truth = max(jaccard(shingles(near), shingles(other)) for other in corpus)
        found = index.nearest(near)
        if found:
            proposed += 1
            assert found[1] == pytest.approx(jaccard(shingles(near), shingles(corpus[int(found[0])])))
        assert (index.duplicate_of(near) is not None) == (truth >= 0.9)
    assert proposed > 50


def test_the_nearest_of_several_is_the_most_similar_then_the_oldest() -> None:
    words = REPLY.split()
    index = NearDuplicates()
    index.add("close", " ".join([*words[:-1], "meetings"]))
    index.add("same", REPLY)
    index.add("same again", REPLY)
    assert index.nearest(REPLY) == ("same", 1.0)


def test_a_lower_threshold_finds_looser_copies() -> None:
    corpus = texts(100, 30)
    half = " ".join([*corpus[7].split()[:22], *texts(1, 8, seed=9)[0].split()])
    assert index_of(corpus).duplicate_of(half) is None
    found = index_of(corpus, 0.5).duplicate_of(half)
    assert found is not None
    assert found[0] == "7"


def test_chinese_and_thai_replies_are_compared_by_their_characters() -> None:
    reply = (
        "做得好！预算报告已经从你的清单上划掉了，现在下午的时间都空出来了，我们接下来先处理面试安排还是先看看邮件呢？"
    )
    index = NearDuplicates()
    index.add("zh", reply)
    assert index.duplicate_of(reply.replace("邮", "信")) is not None
    assert (
        index.duplicate_of("恭喜你完成了演示文稿，休息一下吧，明天我们再来看看本周剩下的任务和截止日期，好吗？") is None
    )


def test_adding_an_id_again_replaces_its_text() -> None:
    index = index_of([REPLY])
    index.add("0", "Something else altogether, about the dentist on Friday.")
    assert index.nearest(REPLY) is None
    assert len(index) == 1


def test_a_removed_text_is_not_found_and_removing_it_twice_is_fine() -> None:
    index = index_of([REPLY])
    index.remove("0")
    index.remove("0")
    assert index.duplicate_of(REPLY) is None
    assert "0" not in index


def test_empty_texts_are_kept_and_are_like_nothing() -> None:
    index = index_of(["", "  "])
    assert len(index) == 2
    assert index.nearest("") is None


def test_answers_are_the_same_in_every_process() -> None:
    code = (
        "from tests.dedup.test_near import *\n"
        "index = index_of(texts(60, 12, 5)); rng = random.Random(6)\n"
        "print([index.nearest(edited(t, rng)) for t in texts(60, 12, 5)])"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


def test_an_index_that_was_loaded_answers_as_one_that_was_added_to() -> None:
    rng = random.Random(4)
    corpus = [*texts(300, 24), "", *texts(50, 24, seed=2), texts(300, 24)[5]]
    added, loaded = NearDuplicates(), NearDuplicates()
    kept = [(str(number), added.add(str(number), text)) for number, text in enumerate(corpus)]
    loaded.load(kept)
    for turn in range(200):
        near = edited(rng.choice([text for text in corpus if text]), rng)
        assert loaded.nearest(near) == added.nearest(near)
        id = str(rng.randrange(len(corpus)))
        for index in (added, loaded):
            if turn % 3:
                index.remove(id)
            else:
                index.add(id, near)
    assert len(loaded) == len(added)
    with pytest.raises(ValueError, match="before anything is added"):
        loaded.load(kept)


@pytest.mark.parametrize("threshold", [0, -1, 1.5, float("nan")])
def test_a_threshold_out_of_range_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match="threshold"):
        NearDuplicates(threshold)


@pytest.mark.parametrize(("threshold", "bands", "rows"), [(one, *two) for one, two in BANDS.items()])
def test_the_bands_propose_nearly_every_pair_at_the_threshold(threshold: float, bands: int, rows: int) -> None:
    assert 1 - (1 - threshold**rows) ** bands > 0.99


def test_the_room_is_light_to_import() -> None:
    code = "import sys, studio.dedup; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
