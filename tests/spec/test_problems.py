"""Each mistake is named with its line, its key, and what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.spec.helpers import MINIMAL, PARROT, only, problems_of

PLACED = [
    # text added to the minimal spec (its lines are 1 to 9) -> line, key, a part of the message
    ("languge: en", 10, "languge", "unknown key; did you mean language?"),
    ("zzz: 1", 10, "zzz", "unknown key; expected one of schema, name"),
    ("7: x", 10, "7", "unknown key"),
    ("target_users: people", 10, "target_users", "expected a list of text, found the text 'people'"),
    ("target_users: [a, 5]", 10, "target_users.1", "expected text, found the number 5; put it in quotes"),
    ("target_users:\n  - a\n  - true", 12, "target_users.1", "expected text, found true; put it in quotes"),
    ("target_users: []", 10, "target_users", "expected at least one entry"),
    ("target_users:", 10, "target_users", "expected a list of text, found nothing"),
    ("vocabulary: {prefer: []}", 10, "vocabulary.prefer", "expected at least one entry"),
    ("vocabulary:\n  avoid: [a]\n  preffer: [b]", 12, "vocabulary.preffer", "did you mean prefer?"),
    ("vocabulary: {avoid_patterns: ['(']}", 10, "vocabulary.avoid_patterns.0", "not a regular expression"),
    ("vocabulary: {avoid_patterns: ['a*']}", 10, "vocabulary.avoid_patterns.0", "fits every reply"),
    ("vocabulary: {avoid_patterns: ['a{99999999}']}", 10, "vocabulary.avoid_patterns.0", "smaller counts in its {}"),
    (
        "vocabulary: {avoid_patterns: ['(?:(?:(?:a|){99}){99}){99}b']}",
        10,
        "vocabulary.avoid_patterns.0",
        "expected a shorter pattern",
    ),
    ("vocabulary:\n  prefer: [Yes]\n  avoid: [yes]", 12, "vocabulary.avoid.0", "found 'yes' also in line 11"),
    ("success: {overall: 11}", 10, "success.overall", "expected a number from 0 to 10, found the number 11"),
    ("success: {trait: 2.5}", 10, "success.trait", "expected a number from 0 to 2, found the number 2.5"),
    ("success: {win_rate: -0.1}", 10, "success.win_rate", "expected a number from 0 to 1"),
    ("success: {violations: true}", 10, "success.violations", "expected a number from 0 to 1, found true"),
    ("success: {overall: '7'}", 10, "success.overall", "expected a number from 0 to 10, found the text '7'"),
    ("success: {examples: 2.5}", 10, "success.examples", "expected a whole number"),
    ("success: {adapter_mb: 0}", 10, "success.adapter_mb", "expected a number above 0, or null, found the number 0"),
    ("success: {overall: .nan}", 10, "success.overall", "expected a finite number, found .nan"),
    (f"success: {{overall: {'1' * 301}}}", 10, "success.overall", "expected a number of at most 300 digits"),
    (f"success: {{examples: 1{'0' * 30}}}", 10, "success.examples", "expected a whole number from 1 to 1000000"),
    ("success: {latency_s: .inf}", 10, "success.latency_s", "expected a finite number, found .inf"),
    ("success: {latency_s: 1e999}", 10, "success.latency_s", "expected a finite number, found 1e999"),
    ("language: english please", 10, "language", "expected a language tag such as en or pt-BR"),
    ("users: {weight: {profiles: 0, bank: 0}}", 10, "users.weight", "expected at least one weight above 0"),
    ("users: {bank: no-such-bank}", 10, "users.bank", "no-such-bank: no such file; expected default, a file of people"),
    ("users: {weight: {bank: 1.5}}", 10, "users.weight.bank", "expected a number from 0 to 1"),
    ("name: Again", 10, "name", "expected each key once, found it also in line 2"),
    ("identity: !!python/object/apply:os.system ['ls']", 10, "identity", "expected no tag"),
    ("identity: !mine x", 10, "identity", "expected no tag, found !mine"),
    ("identity: &a x", 10, "identity", "expected the text itself, found &a"),
    ("identity: *a", 10, "identity", "expected the text itself, found *a"),
    ("<<: {language: en}", 10, "<<", "unknown key"),
    ("patterns:\n- step: go\n  how: x\n- step: go\n  how: y", 13, "patterns.1.step", "found 'go' also in line 11"),
    ("boundaries:\n- {id: a, never: x}\n- {id: a, never: y}", 12, "boundaries.1.id", "also in line 11"),
    ("boundaries: [{id: No Way, never: x}]", 10, "boundaries.0.id", "expected a name of a-z, 0-9 and _"),
    ("boundaries: [{id: a}]", 10, "boundaries.0.never", "missing; expected text"),
    ("examples: [{user: a}]", 10, "examples.0", "expected either user and assistant, or messages"),
    ("examples: [{user: a, assistant: '  '}]", 10, "examples.0.assistant", "expected text, or null, found empty text"),
    ("examples:\n- user: a\n  assistant: b\n  scenario: nope", 13, "examples.0.scenario", "that a category lists"),
    (
        "examples: [{messages: [{role: user, content: a}]}]",
        10,
        "examples.0",
        "expected the last message to be the assistant's",
    ),
    (
        "examples: [{messages: [{role: bot, content: a}]}]",
        10,
        "examples.0.messages.0.role",
        "expected one of system, user, assistant, found the text 'bot'",
    ),
    (
        "examples: [{messages: [{role: assistant, content: a}]}]",
        10,
        "examples.0",
        "expected user and assistant to take turns, beginning with user",
    ),
    ("rules: {language: false}", 10, "rules.language", "expected one of reject, off, found false"),
    ("rules: {punctuation: yes}", 10, "rules.punctuation", "expected one of reject, off, found the text 'yes'"),
    ("rules: {max_chars: 0}", 10, "rules.max_chars", "expected a whole number from 1, or null, found the number 0"),
    ("rules: {emoji: off}", 10, "rules.emoji", "unknown key; expected one of max_chars, role_labels"),
    ("success: {accept_trait: 3}", 10, "success.accept_trait", "expected a whole number from 0 to 2, found the number"),
    ("success: {accept_trait: true}", 10, "success.accept_trait", "expected a whole number from 0 to 2, found true"),
    ("success: {beats_prompt: 2}", 10, "success.beats_prompt", "expected a number from 0 to 1, or null"),
    ("success: {agreement: 1.5}", 10, "success.agreement", "expected a number from -1 to 1"),
    ("deployment: {max_tokens: 0}", 10, "deployment.max_tokens", "expected a whole number from 16 to 32768"),
    ("deployment: {base_model: 'a/b@'}", 10, "deployment.base_model", "a model before @ and its revision after it"),
    ("beside: {contxt: a.md}", 10, "beside.contxt", "did you mean context?"),
    ("beside: a.md", 10, "beside", "expected a mapping with context, profiles, recorded, labels"),
    ("'[key]': 1", 10, "[key]", "unknown key"),
    ("deployment: {base_model: null}", 10, "deployment.base_model", "expected text, found nothing"),
    ("deployment: smollm2", 10, "deployment", "expected a mapping with base_model, system_prompt"),
    ("beside: {context: nowhere.md}", 10, "beside.context", "nowhere.md: no such file"),
    (
        "beside: {profiles: ''}",
        10,
        "beside.profiles",
        "the name of a file in the spec's own folder or below it, or null",
    ),
    ("? [a, b]\n: c", 10, "", "expected a word as key"),
]


@pytest.mark.parametrize(("extra", "line", "key", "message"), PLACED)
def test_a_mistake_is_named_with_its_place(extra: str, line: int, key: str, message: str) -> None:
    found = only(MINIMAL + extra + "\n")
    assert found[:2] == (line, key)
    assert message in found[2]


def test_where_only_one_value_is_right_it_is_named() -> None:
    assert only(MINIMAL.replace("schema: 2", "schema: 3"))[1:] == ("schema", "expected 2, found the number 3")


@pytest.mark.parametrize(
    ("name", "found"), [("Big One", "the text 'Big One'"), ("_a", "the text '_a'"), ("x" * 65, "")]
)
def test_a_trait_name_that_is_none_is_told_what_one_is(name: str, found: str) -> None:
    line, key, message = only(MINIMAL.replace("name: small", f"name: {name}"))
    assert (line, key) == (5, "traits.0.name")
    wanted = "expected a name of letters, digits and _ that starts with a letter, at most 64 characters, found "
    assert message.startswith(wanted + found)


def test_names_that_differ_in_case_alone_are_the_same() -> None:
    text = MINIMAL.replace("  - name: small", "  - {name: SMALL, is: x}\n  - name: small")
    assert only(text) == (6, "traits.1.name", "expected a name of its own, found 'small' also in line 5")


SCHEMA_1 = """\
schema: 1
name: Tiny
purpose: To be small.
context: facts.md
traits:
  - name: small
    is: Small
    cues: [tiny]
  - {name: kind, is: Kind, cues: [please]}
patterns:
  - step: greet
    how: Say hello
    phrases:
      - Hello
boundaries:
  - id: no_shouting
    never: Shouts
    cues: [LOUD]
scenarios:
  daily:
    items: [Say hello]
slots:
  pet: [cat, dog]
users:
  profiles: people.yaml
  things: {bank: [pet]}
deployment:
  base_model: pocket
"""
MOVED = [
    (1, "schema", "expected 2, found the number 1; each key of schema 1 that moved or is gone is named in its line"),
    (4, "context", "moved: it is beside.context now"),
    (8, "traits.0.cues", "gone: say under anchors what a 2, a 1 and a 0 look like"),
    (9, "traits.1.cues", "gone: say under anchors what a 2, a 1 and a 0 look like"),
    (13, "patterns.0.phrases", "gone: say the step under how, and put expressions under vocabulary.prefer"),
    (18, "boundaries.0.cues", "moved: it is boundaries.0.phrases now"),
    (22, "slots", "gone: no words are exchanged in examples any more; leave it out"),
    (25, "users.profiles", "moved: it is beside.profiles now"),
    (26, "users.things", "gone: no words are exchanged in examples any more; leave it out"),
    (28, "deployment.base_model", "gone: pocket is no model any more; the one that comes along is smollm2"),
]


def test_a_file_of_schema_1_is_told_where_each_of_its_keys_went() -> None:
    found = [(problem.line, problem.key, problem.message) for problem in problems_of(SCHEMA_1)]
    assert found == MOVED


def test_keys_of_schema_1_are_known_in_a_file_that_calls_itself_schema_2() -> None:
    found = [(problem.line, problem.key, problem.message) for problem in problems_of(SCHEMA_1.replace("a: 1", "a: 2"))]
    assert found == MOVED[1:]


def test_mistakes_of_a_file_of_schema_1_are_told_beside_what_moved() -> None:
    text = SCHEMA_1.replace("purpose:", "purpos:").replace("is: Small", "is: Small\n    is_nt: Big")
    keys = [problem.key for problem in problems_of(text)]
    assert {"purpose", "purpos", "traits.0.is_nt", *(key for _, key, _ in MOVED)} == set(keys)
    assert len(keys) == len(MOVED) + 3


SCENARIOS = [
    ("  b: {items: []}", 10, "scenarios.b.items", "expected at least one entry"),
    ("  b: {items: [Say hello]}", 10, "scenarios.b.items.0", "expected each scenario once"),
    ("  b: {target: -1, items: [x]}", 10, "scenarios.b.target", "expected a whole number from 0"),
    ("  b: {priority: urgent, items: [x]}", 10, "scenarios.b.priority", "expected one of high, medium, low"),
    ("  b: {holdout: true, target: 3, items: [x]}", 10, "scenarios.b.target", "never trained on"),
    ("  b: {holdout: yes, items: [x]}", 10, "scenarios.b.holdout", "expected true or false, found the text 'yes'"),
    ("  b: {holdout: true, items: ['Do [this']}", 10, "scenarios.b.items.0", "expected every [ to be closed"),
    ("  b:\n    holdout: true\n    itmes: [x]", 12, "scenarios.b.itmes", "did you mean items?"),
    ("  '[key]': {items: [x], bad: 1}", 10, "scenarios.[key].bad", "unknown key"),
    ("  Big: {items: [x]}", 10, "scenarios.Big", "expected a name of a-z, 0-9 and _"),
    ("  b: [x]", 10, "scenarios.b", "expected a mapping with priority, target, holdout, items, found a list"),
]


@pytest.mark.parametrize(("extra", "line", "key", "message"), SCENARIOS)
def test_a_mistake_in_the_scenario_matrix_is_named_with_its_place(
    extra: str, line: int, key: str, message: str
) -> None:
    named = {problem.key: problem for problem in problems_of(MINIMAL + extra + "\n")}
    assert named[key].line == line
    assert message in named[key].message


def test_an_example_of_a_held_out_scenario_is_refused() -> None:
    text = MINIMAL + "  kept: {holdout: true, items: [Wave]}\nexamples: [{user: a, assistant: b, scenario: Wave}]\n"
    assert only(text)[1:] == (
        "examples.0.scenario",
        "expected a scenario that is trained on, found 'Wave', which is held out",
    )


def test_an_example_that_says_what_is_held_out_is_refused_whatever_its_marks() -> None:
    text = MINIMAL + '  kept: {holdout: true, items: ["Empty my [to-do list]."]}\nexamples:\n'
    text += "- {user: fine, assistant: b}\n- user: empty my to-do list!\n  assistant: b\n"
    text += "- messages:\n  - {role: user, content: a}\n  - {role: assistant, content: Empty my to-do list.}\n"
    text += "  - {role: user, content: EMPTY MY TO-DO LIST}\n  - {role: assistant, content: b}\n"
    told = "expected a message that is not held out, found the probe in line 10"
    found = [(problem.line, problem.key, problem.message) for problem in problems_of(text)]
    assert found == [(13, "examples.1.user", told), (18, "examples.2.messages.2.content", told)]


def test_brackets_mean_nothing_in_a_scenario_that_is_trained_on() -> None:
    assert problems_of(MINIMAL + "  b: {items: ['Close [the list']}\n") == ()


def test_a_spec_with_nothing_to_train_on_is_refused() -> None:
    text = MINIMAL.replace("items: [Say hello]", "items: [Say hello]\n    holdout: true")
    assert only(text)[1:] == ("scenarios", "expected a category that is not held out")


@pytest.mark.parametrize("count", [0, 13])
def test_traits_are_one_to_twelve(count: int) -> None:
    traits = "".join(f"  - {{name: t{number}, is: x}}\n" for number in range(count)) or "  []\n"
    head, _, rest = MINIMAL.partition("traits:\n")
    text = head + "traits:\n" + traits + rest[rest.index("scenarios") :]
    told = "expected at least one entry" if count == 0 else "expected at most 12 entries, found 13"
    assert only(text)[1] == "traits" and only(text)[2].startswith(told)


def test_anchors_are_for_scores_of_0_1_and_2() -> None:
    assert only(MINIMAL.replace("is: Small", "is: Small\n    anchors: {3: x}")) == (
        7,
        "traits.0.anchors.3",
        "expected one of 0, 1, 2 as key, found 3",
    )


def test_all_mistakes_are_told_at_once_whatever_their_kind() -> None:
    """Form, relations, other files: nobody should have to mend one to hear of the next."""
    text = MINIMAL.replace("name: small", "name: Big One") + (
        "languge: en\nbeside: {context: nowhere.md}\nsuccess: {overall: 99}\nname: Again\nidentity: &x y\n"
        "examples: [{user: a, assistant: b, scenario: nope}]\n"
    )
    assert [problem.key for problem in problems_of(text)] == [
        "traits.0.name",
        "languge",
        "beside.context",
        "success.overall",
        "name",
        "identity",
        "examples.0.scenario",
    ]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "found an empty file"),
        ("# only a comment\n", 1, "found an empty file"),
        ("---\n...\n", 1, "found an empty file"),
        ("just words", 1, "expected a mapping"),
        ("- a\n- b", 1, "expected a mapping"),
        (MINIMAL + "---\nname: two\n", 10, "found a second one"),
        (MINIMAL + "identity: [a\n", 11, "not valid YAML"),
        (MINIMAL + "\tidentity: a\n", 10, "not valid YAML"),
        (MINIMAL + 'identity: "a\n', 11, "not valid YAML"),
        ("name: \x00\n", 1, "found the control character U+0000"),
        ("a: 1\nname: \x1b[31m\n", 2, "found the control character U+001B"),
        ("name: " + "[" * 100_000, 1, "expected at most 12 levels"),
        ("name: " + "[" * 13 + "x" + "]" * 13, 1, "expected at most 12 levels"),
        ("a: " * 500, 1, "not valid YAML"),
        ("- " * 5000, 1, "expected at most 12 levels"),
    ],
)
def test_what_is_no_spec_at_all_is_told_in_one_line(text: str, line: int, message: str) -> None:
    found = only(text)
    assert found[0] == line
    assert message in found[2]


def test_a_bomb_of_aliases_is_told_and_costs_nothing() -> None:
    levels = "".join(f"  - &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 30))
    problems = problems_of(MINIMAL + "target_users:\n  - &l0 lol\n" + levels)
    assert problems[0].key == "target_users.0"
    assert len(problems) <= 201


def test_nothing_in_a_file_is_ever_run(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    for tag in ("!!python/object/apply:pathlib.Path.touch", "!!python/object/new:os.system", "!!python/name:os.system"):
        problems = problems_of(MINIMAL + f"identity: {tag} ['touch {canary}']\n")
        assert any("expected no tag" in problem.message for problem in problems)
    assert not canary.exists()


def test_a_problem_is_shown_without_control_characters() -> None:
    problems = problems_of(MINIMAL + '"\\u001b[31mred": 1\n')
    assert "\x1b" not in str(problems[0])


def test_lines_are_right_in_a_file_with_windows_line_ends() -> None:
    assert only(MINIMAL.replace("\n", "\r\n") + "languge: en\r\n")[0] == 10


def test_the_commented_fixture_has_no_problem() -> None:
    assert problems_of(PARROT.read_text(encoding="utf-8"), PARROT) == ()
