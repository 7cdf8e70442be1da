from __future__ import annotations

from pathlib import Path

import pytest

from studio.spec import SpecError, check, load
from studio.spec.load import content_hash
from tests.spec.helpers import MINIMAL, PARROT, parrot, spec_of


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
    assert [step.step for step in spec.patterns] == ["squawk", "answer"]
    assert spec.boundaries[0].phrases == ("buried under",)
    assert [message.role for message in spec.examples[1].turns] == ["user", "assistant"] * 2
    assert spec.category_of("Ask for the map") == "treasure"
    assert spec.scenarios["unseen"].holdout
    assert (spec.rules.max_chars, spec.rules.language, spec.rules.punctuation) == (300, "off", "reject")
    assert spec.success.examples == 12
    assert spec.deployment.base_model == "smollm2@main"
    assert spec.deployment.system_prompt is None


def test_what_is_left_out_has_the_documented_defaults() -> None:
    spec = spec_of()
    assert (spec.language, spec.users.weight.profiles, spec.users.bank) == ("en", 0.5, "default")
    success = spec.success
    assert (success.overall, success.trait, success.violations, success.win_rate) == (7.5, 1.5, 0.0, 0.7)
    assert (success.train_loss, success.adapter_mb, success.latency_s) == (0.4, 50, 2.0)
    assert (success.accept_score, success.accept_trait, success.examples) == (6.0, 1, 200)
    assert (success.beats_prompt, success.agreement) == (None, 0.4)
    assert (spec.deployment.base_model, spec.deployment.max_tokens) == ("meta-llama/Llama-3.1-8B-Instruct", 512)
    assert spec.rules.max_chars == 2000 and set(spec.rules.model_dump(exclude={"max_chars"}).values()) == {"reject"}
    assert set(spec.beside.model_dump().values()) == {None}
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
    moved = "deployment:\n  system_prompt: ~\n  base_model: 'smollm2@main'\n" + bare.partition("deployment:")[0]
    moved += "beside: {context: null}\nusers: {bank: default}\n"
    loaded, problems = check(moved, PARROT)
    assert problems == ()
    assert loaded is not None
    assert loaded.hash == parrot().hash


@pytest.mark.parametrize(
    ("old", "new"),
    [("Ask for the map", "Ask for a map"), ("target: 6", "target: 7"), ("max_chars: 300", "max_chars: 301")],
)
def test_the_hash_changes_with_every_value(old: str, new: str) -> None:
    text = PARROT.read_text(encoding="utf-8")
    assert old in text
    loaded, _ = check(text.replace(old, new), PARROT)
    assert loaded is not None
    assert loaded.hash != parrot().hash


def test_the_hash_is_the_same_today_and_tomorrow() -> None:
    """Records in workspaces refer to it, so a change of the form would make all of them stale."""
    assert content_hash(spec_of()) == "90f05589216144c69f48ea792ea1797b91949342fdec49abebc6b51e076608b9"


def test_the_hash_covers_the_files_beside_the_spec(tmp_path: Path) -> None:
    (tmp_path / "context.md").write_text("One.", encoding="utf-8")
    (tmp_path / "spec.yaml").write_text(MINIMAL + "beside: {context: context.md}\n", encoding="utf-8")
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


def test_the_hash_does_not_cover_data_nor_the_names_of_files(tmp_path: Path) -> None:
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text("One.", encoding="utf-8")
    (tmp_path / "talks.jsonl").write_text("", encoding="utf-8")
    besides = ["context: a.md", "context: b.md", "context: a.md, recorded: talks.jsonl, labels: talks.jsonl"]
    hashes = set()
    for beside in besides:
        (tmp_path / "spec.yaml").write_text(f"{MINIMAL}beside: {{{beside}}}\n", encoding="utf-8")
        hashes.add(load(tmp_path / "spec.yaml").hash)
    (tmp_path / "talks.jsonl").write_text("{}\n", encoding="utf-8")
    assert hashes == {load(tmp_path / "spec.yaml").hash}


@pytest.mark.parametrize("name", ["ermutigend", "größe_2", "обнадёживает", "प्रोत्साहक", "励ます", "مشجع"])
def test_a_trait_may_be_named_in_any_script(name: str) -> None:
    assert spec_of(base=MINIMAL.replace("name: small", f"name: {name}")).trait_names == (name,)


def test_the_same_letters_make_the_same_trait_name_however_they_are_typed() -> None:
    assert spec_of(base=MINIMAL.replace("name: small", "name: gro\u0308\u00dfe")).trait_names == ("gr\u00f6\u00dfe",)
