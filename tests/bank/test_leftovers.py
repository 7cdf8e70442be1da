# ruff: noqa: E501, RUF001
"""Refusals, leftovers and languages: each found in its own language, and never where the words mean something else."""

from __future__ import annotations

from typing import Any

import pytest

from studio.bank.leftovers import LISTS, language_of, leftover, refusal
from studio.bank.person import Person
from studio.bank.quality import Filter
from tests.bank.making import person

GOOD = {
    "en": "Works nights in a Leeds hospital and studies for a nursing diploma; says sorry a lot and trains a language model.",
    "de": "Arbeitet seit zwanzig Jahren in einer Bäckerei und steht jeden Tag um drei auf; es tut ihr selten etwas leid.",
    "fr": "Travaille depuis vingt ans dans une boulangerie et se lève chaque jour à trois heures; ne peut pas rester assise.",
    "es": "Trabaja desde hace veinte años en una panadería y se levanta cada día a las tres; no puede estar sin hacer nada.",
    "it": "Lavora da vent'anni in una panetteria e si alza ogni giorno alle tre; non può stare senza fare nulla per molto.",
    "pt": "Trabalha há vinte anos em uma padaria e se levanta todos os dias às três; não consegue ficar parada em casa.",
    "nl": "Werkt al twintig jaar in een bakkerij en staat elke dag om drie uur op; kan niet stilzitten en houdt van kaarten.",
}
REFUSED = {
    "en": [
        "I'm sorry, but I can't help with that.",
        "As an AI language model, I have no age.",
        "I cannot create such a person.",
    ],
    "de": [
        "Es tut mir leid, aber ich kann das nicht schreiben.",
        "Als KI-Sprachmodell habe ich kein Alter.",
        "Dabei kann ich leider nicht helfen.",
    ],
    "fr": [
        "Je suis désolée, mais je ne peux pas le faire.",
        "En tant qu’IA, je n'ai pas d'âge.",
        "Je ne peux pas vous aider à créer cette personne.",
    ],
    "es": [
        "Lo siento, pero no puedo escribir eso.",
        "Como modelo de lenguaje, no tengo edad.",
        "No puedo ayudarte con eso.",
    ],
    "it": [
        "Mi dispiace, ma non posso farlo.",
        "In quanto intelligenza artificiale, non ho un'età.",
        "Non posso creare questa persona.",
    ],
    "pt": [
        "Sinto muito, mas não posso fazer isso.",
        "Como modelo de linguagem, não tenho idade.",
        "Não consigo criar essa pessoa.",
    ],
    "nl": [
        "Het spijt me, maar ik kan dat niet doen.",
        "Als AI-taalmodel heb ik geen leeftijd.",
        "Daar kan ik helaas niet mee helpen.",
    ],
}
LEFT = {
    "en": ["Here is the persona you wanted:", "Insert name and job.", "Job: TBD"],
    "de": ["Hier ist eine Beschreibung:", "Name einfügen", "Wie gewünscht: eine Bäckerin"],
    "fr": ["Voici la description :", "Votre nom ici", "Métier à définir"],
    "es": ["Aquí tienes una descripción:", "Inserte nombre aquí", "Oficio por definir"],
    "it": ["Ecco la descrizione:", "Inserire il nome", "Lavoro da definire"],
    "pt": ["Aqui está a descrição:", "Insira o nome aqui", "Conforme solicitado, uma padeira"],
    "nl": ["Hier is een beschrijving:", "Vul naam hier in", "Zoals gevraagd een bakker"],
}


def test_every_list_is_tried() -> None:
    assert LISTS.keys() == GOOD.keys() == REFUSED.keys() == LEFT.keys()


@pytest.mark.parametrize("code", LISTS)
def test_a_language_finds_its_own_and_lets_good_people_be(code: str) -> None:
    assert all(refusal(one, code) for one in REFUSED[code]), [one for one in REFUSED[code] if not refusal(one, code)]
    assert all(leftover(one, code) for one in LEFT[code]), [one for one in LEFT[code] if not leftover(one, code)]
    assert refusal(GOOD[code], code) is None and leftover(GOOD[code], code) is None
    assert language_of(GOOD[code]) == code


@pytest.mark.parametrize("code", LISTS)
def test_somebody_is_removed_by_the_lists_of_their_language_and_each_reason_is_told(code: str) -> None:
    strict = Filter(whole=False)
    for said, reason in ((REFUSED[code][0], "refusal"), (LEFT[code][0], "template")):
        found = strict.problem(Person(id="x", source="bank", language=f"{code}-XX", background=f"{said} {GOOD[code]}"))
        assert found is not None and found.reason == reason
    good = Person(id="x", source="bank", language=code, background=GOOD[code])
    assert strict.problem(good) is None
    assert Filter(code, whole=False).problem(good) is None
    other = Filter("nl" if code == "de" else "de", whole=False).problem(good)
    assert other is not None and (other.reason, other.detail) == ("language", code)


def test_a_refusal_in_another_language_than_was_asked_for_is_found() -> None:
    declined = (
        "I'm sorry, but I can't write that, as it is against my guidelines and those of the company that made me."
    )
    found = Filter("de", whole=False).problem(Person(id="x", source="bank", language="de", background=declined))
    assert found is not None and found.reason == "refusal"


@pytest.mark.parametrize(
    "said",
    [
        "Hän työskentelee leipomossa ja nousee joka aamu kolmelta; placeholder on hänen lempisanansa, todo myös.",
        "パン屋で二十年働いていて、毎日三時に起きる。TODOリストが好きで、よく笑う人です。",
        "Пекарь из Казани, встаёт каждый день в три часа и любит списки todo больше всего на свете.",
    ],
)
def test_english_lists_are_not_for_other_languages(said: str) -> None:
    assert leftover(said, language_of(said)) is None
    assert Filter(whole=False).problem(Person(id="x", source="bank", language="fi", background=said)) is None
    assert leftover(f"{said} [name]", language_of(said)) == "[name]"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("パン屋で働いています", "ja"),
        ("빵집에서 일합니다", "ko"),
        ("ทำงานในร้านขนมปัง", "th"),
        ("Δουλεύει σε φούρνο", "el"),
        ("Пекарь из Казани, который встаёт каждый день в три часа и печёт ржаной хлеб для соседей", "ru"),
        ("Baker", None),
        ("", None),
        ("1234 !?", None),
        ("She works at the bakery", "en"),
        ("Sie arbeitet in der Bäckerei und liebt das", "de"),
    ],
)
def test_a_language_is_told_by_script_and_stop_words_or_not_at_all(text: str, code: str | None) -> None:
    assert language_of(text) == code


@pytest.mark.parametrize(
    "changes",
    [
        {"query": "I'm sorry, I cannot create an account, can you help?"},
        {"background": "As an AI researcher she builds a language model for Frisian and keeps bees by the sea."},
        {"chatting_style": "starts with 'sorry' and ends with 'here is my question'"},
    ],
)
def test_words_of_a_refusal_with_another_sense_are_left_alone(changes: dict[str, Any]) -> None:
    assert Filter("en").problem(person(1, **changes)) is None
