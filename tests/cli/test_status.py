"""``studio status``: what stands, what runs, what is next, in lines and as one object."""

from __future__ import annotations

from tests.cli.making import Studio


def test_each_stage_has_a_line_and_the_next_step_its_command(studio: Studio) -> None:
    told = studio("status", studio.spec, "--workspace", studio.root)
    assert told.status == 0, told.err
    lines = told.lines
    assert [line.split()[1] for line in lines[1:9]] == [
        *("spec", "bank", "generate", "triage", "train", "evaluate", "chat", "package")
    ]
    assert lines[3].split()[:3] == ["3", "generate", "next"]
    assert lines[9] == "Next: generate examples (3 s)" and lines[10].strip().startswith("studio generate ")
    found = studio("status", studio.spec, "--workspace", studio.root, "--json").json
    assert sorted(found) == ["jobs", "next", "persona", "spec", "stages"]
    assert found["next"]["stage"] == "generate" and found["jobs"] == [] and len(found["stages"]) == 8
