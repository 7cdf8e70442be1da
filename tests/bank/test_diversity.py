"""Diversity: the measures against their definitions, at a fixed number and length, and the picture of them."""

from __future__ import annotations

import random
from xml.etree import ElementTree

import numpy as np
import pytest

from studio.bank.chart import svg
from studio.bank.diversity import (
    compare,
    distinct,
    divergence,
    diversity,
    mean_distance,
    measures,
    nearest_distance,
    self_repetition,
    vendi,
)
from studio.bank.quality import essence
from tests.bank.making import WordVectors, person
from tests.cli.making import HOSTILE, raw

PEOPLE = [person(number) for number in range(300)]
ALIKE = [person(number % 12, id=f"a{number}", name=f"Somebody{number}", age=30) for number in range(300)]


def unit(rows: list[list[float]]) -> np.ndarray:
    found = np.zeros((len(rows), 384), np.float32)
    for row, given in zip(found, rows, strict=True):
        row[: len(given)] = np.array(given) / np.linalg.norm(given)
    return found


def test_the_measures_of_words_are_those_of_their_definitions() -> None:
    texts = ["a b a b".split(), "a b c d e".split(), "x a b c d".split()]
    assert distinct(texts, 1) == 6 / 14
    assert distinct(texts, 2) == len({"ab", "ba", "bc", "cd", "de", "xa"}) / 11
    assert distinct([["one"]], 3) == 0.0
    # "a b c d" comes in the second and the third text, once in the other of each.
    assert self_repetition(texts) == pytest.approx(2 / 3 * np.log(2))


def test_the_measures_of_meaning_are_those_of_their_definitions() -> None:
    vectors = unit([[1, 0], [1, 0], [0, 1], [0, 0, 1]])
    assert mean_distance(vectors) == pytest.approx(5 / 6, abs=1e-6)
    assert nearest_distance(vectors) == pytest.approx(0.5, abs=1e-6)
    probabilities = np.array([0.5, 0.25, 0.25])
    assert vendi(vectors) == pytest.approx(float(np.exp(-(probabilities * np.log(probabilities)).sum())), rel=1e-5)
    assert (mean_distance(vectors[:1]), nearest_distance(vectors[:1])) == (0.0, 0.0)
    assert vendi(vectors[:2]) == pytest.approx(1.0, abs=1e-6)


def test_nearest_distance_is_the_same_over_blocks() -> None:
    rows = np.random.default_rng(0).normal(size=(2500, 384)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    products = rows @ rows.T
    np.fill_diagonal(products, -1)
    assert nearest_distance(rows) == pytest.approx(float((1 - products.max(axis=1)).mean()), abs=1e-5)


def test_a_bank_of_repeated_people_is_less_diverse_in_every_measure() -> None:
    good, bad = (measures(people, WordVectors(), 200, 20) for people in (PEOPLE, ALIKE))
    assert (good.n, good.words, bad.n) == (200, 20, 200)
    for name in ("distinct_1", "distinct_2", "distinct_3", "mean_distance", "nearest_distance", "vendi"):
        assert getattr(good, name) > getattr(bad, name), name
    assert good.compression < bad.compression and good.self_repetition < bad.self_repetition
    assert bad.vendi <= 12.1


def test_the_order_of_a_bank_and_its_ids_change_no_figure() -> None:
    mixed = random.Random(3).sample(PEOPLE, len(PEOPLE))
    assert measures(mixed, WordVectors(), 100) == measures(PEOPLE, WordVectors(), 100)


def test_two_banks_are_compared_at_the_number_and_length_that_both_have() -> None:
    short = [person(n, background="Bees.", chatting_style="", traits=()) for n in range(40)]
    one, other = compare(PEOPLE, short, WordVectors())
    assert one.measures.n == other.measures.n == 40
    words = sorted(len(essence(person).split()) for person in short)[20]
    assert one.measures.words == other.measures.words == words
    assert one.people == 300


def test_shares_are_counted_and_who_lacks_the_attribute_is_told() -> None:
    found = {one.attribute: one for one in diversity(ALIKE, WordVectors(), 50).shares}
    age = found["age"]
    assert [(share.value, share.count, share.share) for share in age.values] == [("25-34", 300, 1.0)]
    assert (age.different, age.evenness, age.missing) == (1, 0.0, 0)
    assert sum(share.count for share in found["trait"].values) == 3 * 300
    without = diversity([person(n, age=None, place="") for n in range(10)], WordVectors()).shares
    assert [one.missing for one in without] == [10, 0, 10, 0]


def test_divergence_is_nothing_for_the_same_and_one_bit_for_all_different() -> None:
    assert divergence(["a", "b"], ["b", "a"]) == 0.0
    assert divergence(["a", "a"], ["b"]) == pytest.approx(1.0)
    assert 0 < divergence(["a", "b"], ["a", "a"]) < 1
    assert divergence([], ["a"]) == 0.0


def test_the_picture_is_well_formed_and_inert_whatever_a_person_says() -> None:
    evil = [person(n, profession=f"<script>alert({n})</script>{HOSTILE}", place="a & b ' \"") for n in range(5)]
    one, other = compare(PEOPLE, evil, WordVectors())
    picture = svg([("bank", one), (HOSTILE, other)])
    assert raw(picture) == []
    tree = ElementTree.fromstring(picture)
    tags = {element.tag.partition("}")[2] for element in tree.iter()}
    assert tags == {"svg", "rect", "text"}
    said = " ".join(element.text or "" for element in tree.iter())
    assert "Vendi score" in said and "5 people each" in said and "25-34" in said


def test_an_empty_bank_has_no_figures() -> None:
    with pytest.raises(ValueError, match="nothing to measure"):
        measures([], WordVectors())
