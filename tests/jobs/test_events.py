"""The log of events: whole lines only, whatever happens to whoever writes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from studio.jobs.events import EventLog, read_events, repair
from tests.jobs.entries import Counted

WRITE_UNTIL_FULL = """
import resource, sys
from pathlib import Path
from studio.errors import UserError
from studio.jobs.events import EventLog
from tests.jobs.entries import Counted

log = EventLog(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
written = 0
try:
    while True:
        log.append(Counted(number=written))
        written += 1
except UserError as error:
    print(written, error.remedy)
"""


def numbers(path: Path, offset: int = 0, limit: int | None = None) -> tuple[list[int], int]:
    events, after = read_events(path, offset, limit)
    return [event.data["number"] for event in events], after


def filled(path: Path, count: int) -> EventLog:
    log = EventLog(path)
    for number in range(count):
        log.append(Counted(number=number))
    return log


def test_events_come_back_in_order_with_their_kind_and_time(tmp_path: Path) -> None:
    filled(tmp_path / "events", 3)
    events, _ = read_events(tmp_path / "events")
    assert [(event.kind, event.data) for event in events] == [
        ("counted", {"kind": "counted", "number": number}) for number in range(3)
    ]
    assert events[0].at <= events[2].at and events[0].at.tzinfo is not None


def test_a_reader_goes_on_from_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "events"
    log = filled(path, 2)
    first, offset = numbers(path)
    log.append(Counted(number=2))
    assert (first, numbers(path, offset)[0]) == ([0, 1], [2])
    assert numbers(tmp_path / "missing", 7) == ([], 7)


def test_a_line_without_its_end_is_left_for_later(tmp_path: Path) -> None:
    path = tmp_path / "events"
    filled(path, 3)
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        found, offset = numbers(path)
        assert found == list(range(whole[:size].count(b"\n")))
        path.write_bytes(whole)
        assert found + numbers(path, offset)[0] == [0, 1, 2]


def test_a_bounded_read_gives_whole_lines_and_always_gets_on(tmp_path: Path) -> None:
    path = tmp_path / "events"
    filled(path, 20)
    for limit in (1, 50, 200, 100_000):
        found: list[int] = []
        offset, before = 0, -1
        while offset != before:
            before = offset
            some, offset = numbers(path, offset, limit)
            found += some
        assert found == list(range(20))


@pytest.mark.parametrize("size", [0, 1, 10, 70_000, 200_000])
def test_repair_cuts_off_a_torn_line_of_any_length_and_nothing_else(tmp_path: Path, size: int) -> None:
    path = tmp_path / "events"
    filled(path, 5)
    whole = path.read_bytes()
    path.write_bytes(whole + b"x" * size)
    repair(path)
    assert path.read_bytes() == whole
    path.write_bytes(b"x" * size)
    repair(path)
    assert path.read_bytes() == b""


def test_an_unreadable_line_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "events"
    filled(path, 1)
    with path.open("ab") as file:
        file.write(b"\0\0\0\n{}\n")
    EventLog(path).append(Counted(number=1))
    assert numbers(path)[0] == [0, 1]


def test_a_full_disk_leaves_whole_events_and_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "events"
    done = subprocess.run(
        [sys.executable, "-c", WRITE_UNTIL_FULL, str(path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    written, remedy = done.stdout.split(maxsplit=1)
    assert "make room" in remedy
    assert int(written) > 3
    assert path.read_bytes().endswith(b"\n")
    assert numbers(path)[0] == list(range(int(written)))


def test_an_event_without_a_kind_is_refused(tmp_path: Path) -> None:
    from studio.chatml import user

    with pytest.raises(TypeError, match="kind"):
        EventLog(tmp_path / "events").append(user("hello"))
