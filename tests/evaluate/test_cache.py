"""An evaluation that was cut short keeps what it measured."""

from __future__ import annotations

from pathlib import Path

from studio.evaluate.fingerprint import Cache
from studio.evaluate.types import ProbeResult
from tests.evaluate.making import judgement, result


def test_what_was_added_is_there_for_the_next_process(tmp_path: Path) -> None:
    row = result("a", judgement(1), judgement(2))
    Cache(tmp_path / "probes" / "a.jsonl", ProbeResult).add(row)
    assert Cache(tmp_path / "probes" / "a.jsonl", ProbeResult).load() == [row]


def test_another_evaluation_does_not_see_it(tmp_path: Path) -> None:
    Cache(tmp_path / "a.jsonl", ProbeResult).add(result("a", judgement(1), judgement(2)))
    assert Cache(tmp_path / "b.jsonl", ProbeResult).load() == []


def test_a_line_torn_by_a_kill_is_left_out_and_does_not_spoil_the_next(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "a.jsonl", ProbeResult)
    first, second = (result(name, judgement(1), judgement(2)) for name in "ab")
    cache.add(first)
    with cache.path.open("a") as file:
        file.write('{"probe": {"id": "torn"')
    cache.add(second)
    assert cache.load() == [first, second]
