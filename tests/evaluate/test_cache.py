"""An evaluation that was cut short keeps what it measured."""

from __future__ import annotations

from pathlib import Path

from studio.evaluate.cache import ResultCache
from tests.evaluate.making import judgement, result


def test_what_was_added_is_there_for_the_next_process(tmp_path: Path) -> None:
    row = result("a", judgement(1), judgement(2))
    ResultCache(tmp_path, "f" * 64).add(row)
    assert ResultCache(tmp_path, "f" * 64).load() == {"a": row}


def test_another_evaluation_does_not_see_it(tmp_path: Path) -> None:
    ResultCache(tmp_path, "f" * 64).add(result("a", judgement(1), judgement(2)))
    assert ResultCache(tmp_path, "e" * 64).load() == {}


def test_a_line_torn_by_a_kill_is_left_out_and_does_not_spoil_the_next(tmp_path: Path) -> None:
    cache = ResultCache(tmp_path, "f" * 64)
    first, second = (result(name, judgement(1), judgement(2)) for name in "ab")
    cache.add(first)
    with cache.path.open("a") as file:
        file.write('{"probe": {"id": "torn"')
    cache.add(second)
    assert cache.load() == {"a": first, "b": second}
