from __future__ import annotations

import time
from pathlib import Path

import pytest

from studio.spec import Rules, SpecError, check, content_hash, load
from tests.spec.helpers import MINIMAL, PARROT, parrot, spec_of

ROOT = Path(__file__).parents[2]
SPECS = sorted(path for path in (ROOT / "specs").glob("*.yaml") if "\nscenarios:" in path.read_text(encoding="utf-8"))


def test_every_part_of_the_format_is_loaded() -> None:
    spec = parrot().spec
    assert spec.name == "Captain's Parrot"
    assert spec.slug == "captain-s-parrot"
    assert spec.purpose == "A ship's parrot that answers sailors briefly and never tells where the treasure is."
    assert spec.identity == "A parrot of forty years at sea.\n\nIt has seen it all.\n"
    assert spec.target_users == ("sailors", "ship's cooks", "cabin boys")
    assert spec.trait_names == ("salty", "brief", "honest")
    assert spec.traits[0].anchors == {2: "Full of the sea", 1: "A word or two", 0: "Dry land"}
    assert spec.vocabulary.avoid_patterns == ("[!?]{3,}",)
    assert spec.patterns[0].phrases == ("Squawk!",)
    assert spec.boundaries[0].cues == ("buried under",)
    assert [message.role for message in spec.examples[1].turns] == ["user", "assistant"] * 2
    assert spec.category_of("Ask for the map") == "treasure"
    assert spec.scenarios["unseen"].holdout
    assert spec.slots == {"person": ("old Tom", "the cook")}
    assert spec.success.examples == 12
    assert spec.deployment.base_model == "pocket"
    assert spec.deployment.system_prompt is None


def test_what_is_left_out_has_the_documented_defaults() -> None:
    spec = spec_of()
    assert (spec.language, spec.users.weight.profiles, spec.users.bank) == ("en", 0.5, "default")
    success = spec.success
    assert (success.overall, success.trait, success.violations, success.win_rate) == (7.5, 1.5, 0.0, 0.7)
    assert (success.train_loss, success.adapter_mb, success.latency_s) == (0.4, 50, 2.0)
    assert (success.accept_score, success.examples) == (6.0, 200)
    assert spec.vocabulary.avoid_generic_ai


def test_text_may_be_in_any_script() -> None:
    spec = spec_of('target_users: [नाविक, 水手, "بحارة"]\nlanguage: pt-BR\n')
    assert spec.target_users == ("नाविक", "水手", "بحارة")


@pytest.mark.parametrize(
    ("name", "slug"), [("TaskMaster", "taskmaster"), ("  Bänk / Help!", "bänk-help"), ("水手", "水手")]
)
def test_the_slug_is_a_folder_name_in_any_script(name: str, slug: str) -> None:
    assert spec_of(base=MINIMAL.replace("name: Tiny", f'name: "{name}"')).slug == slug


def test_names_without_a_letter_have_folders_of_their_own() -> None:
    slugs = {spec_of(base=MINIMAL.replace("name: Tiny", f'name: "{name}"')).slug for name in ("🙂", "🔥", "?!")}
    assert len(slugs) == 3
    assert all(slug.startswith("persona-") for slug in slugs)


def test_yes_no_and_dates_are_text() -> None:
    spec = spec_of("target_users: [yes, No, off, 2026-01-01, 12:30:45]\n")
    assert spec.target_users == ("yes", "No", "off", "2026-01-01", "12:30:45")


def test_the_hash_ignores_comments_layout_key_order_and_spelled_out_defaults() -> None:
    text = PARROT.read_text(encoding="utf-8")
    bare = "\n".join(line for line in text.split("\n") if not line.lstrip().startswith("#"))
    moved = "deployment:\n  system_prompt: ~\n  base_model: 'pocket'\n" + bare.partition("deployment:")[0]
    moved += "context: null\nusers: {bank: default}\n"
    loaded, problems = check(moved, PARROT)
    assert problems == ()
    assert loaded is not None
    assert loaded.hash == parrot().hash


@pytest.mark.parametrize(
    ("old", "new"), [("Ask for the map", "Ask for a map"), ("target: 6", "target: 7"), ("[aye, matey]", "[matey, aye]")]
)
def test_the_hash_changes_with_every_value(old: str, new: str) -> None:
    text = PARROT.read_text(encoding="utf-8")
    assert old in text
    loaded, _ = check(text.replace(old, new), PARROT)
    assert loaded is not None
    assert loaded.hash != parrot().hash


def test_the_hash_is_the_same_today_and_tomorrow() -> None:
    """Records in workspaces refer to it, so a change of the form would make all of them stale."""
    assert content_hash(spec_of()) == "0ca7aa4849a4d9814e364cd860aa997d528e12cce30c9137b8dd6dbfa90c7e65"


def test_the_hash_covers_the_files_beside_the_spec(tmp_path: Path) -> None:
    (tmp_path / "context.md").write_text("One.", encoding="utf-8")
    (tmp_path / "spec.yaml").write_text(MINIMAL + "context: context.md\n", encoding="utf-8")
    first = load(tmp_path / "spec.yaml")
    (tmp_path / "context.md").write_text("Two.", encoding="utf-8")
    second = load(tmp_path / "spec.yaml")
    assert (first.context_text, second.context_text) == ("One.", "Two.")
    assert first.hash != second.hash


def test_load_raises_one_line_with_all_problems_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(MINIMAL.replace("purpose", "purpos") + "languge: en\n", encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        load(path)
    assert str(caught.value) == f"{path}:1: purpose: missing; expected text (and 2 more)"
    assert [str(problem) for problem in caught.value.problems] == [
        f"{path}:1: purpose: missing; expected text",
        f"{path}:3: purpos: unknown key; did you mean purpose?",
        f"{path}:10: languge: unknown key; did you mean language?",
    ]


def test_a_spec_of_a_hundred_examples_is_checked_within_a_tenth_of_a_second() -> None:
    examples = "".join(
        f"  - user: \"Add 'thing number {number}' to my list, please.\"\n"
        f"    assistant: Great choice! I added 'thing number {number}' to your list. What is next?\n"
        for number in range(100)
    )
    text = MINIMAL + "examples:\n" + examples
    first, _ = check(text, "tiny.yaml")
    assert first is not None
    assert len(first.spec.examples) == 100
    started = time.process_time()
    again, _ = check(text.replace("thing number 50", "another thing"), "tiny.yaml")
    assert time.process_time() - started < 0.1
    assert again is not None
    assert again.spec.examples[50].user == "Add 'another thing' to my list, please."


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_the_specs_that_come_with_the_studio_are_valid(path: Path) -> None:
    loaded = load(path)
    assert sum(category.target for category in loaded.spec.scenarios.values()) > 0
    assert any(category.holdout for category in loaded.spec.scenarios.values())


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_the_examples_that_come_with_the_studio_keep_the_rules_of_their_spec(path: Path) -> None:
    spec = load(path).spec
    rules = Rules.of(spec)
    said = [turn.content for example in spec.examples for turn in example.turns if turn.role == "assistant"]
    assert [hit for reply in said for hit in rules.broken(reply)] == []
    assert said


def test_the_specs_of_the_studio_are_found() -> None:
    assert {path.stem for path in SPECS} >= {"taskmaster", "bank-support"}
