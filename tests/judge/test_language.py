"""The wrong-language rule: sure of itself or silent."""

from __future__ import annotations

import pytest

from studio.judge.rules import wrong_language


@pytest.mark.parametrize(
    ("reply", "language", "found"),
    [
        ("Отлично! Я добавил задачу.", "en", "Cyrillic script"),
        ("好的,我已经把任务加到你的清单里了,明天提醒你。", "ja", "CJK script"),
        ("Great, I added it.", "ru-RU", "Latin script"),
        ("Great choice! I added it to your list and will tell you tomorrow.", "de", "en"),
        ("J'ai ajouté la tâche à votre liste, nous pouvons commencer demain matin ensemble.", "en", "fr"),
        ("He añadido la tarea a tu lista y te la recordaré mañana por la mañana.", "pt", "es"),
    ],
)
def test_another_language_is_named(reply: str, language: str, found: str) -> None:
    assert wrong_language(reply, language) == found


@pytest.mark.parametrize(
    ("reply", "language"),
    [
        ("Arr matey! Hoist them sails, ye landlubber, an' begone wi' ye afore dawn breaks yonder.", "en"),
        ("Ich sage dir morgen Bescheid, und dann gehen wir die Liste zusammen durch.", "de-AT"),
        ("了解しました。タスクを追加しました。", "ja"),
        ("了解。火曜日八時開館、木曜日休館。", "ja"),
        ("Dodao sam zadatak na tvoju listu i podsetiću te sutra ujutru.", "hr"),
        ("Jeg har lagt oppgaven til på listen din og minner deg på det i morgen.", "nb"),
        ("OK", "ru"),
        ("42", "ja"),
        ("Nuqneh. Qapla' batlh je, tlhIngan maH taHjaj.", "tlh"),
    ],
)
def test_what_is_right_short_or_unknown_is_left_alone(reply: str, language: str) -> None:
    assert wrong_language(reply, language) is None


def test_what_the_user_said_and_what_is_quoted_is_not_the_replys_own_language() -> None:
    said = "Please add купить молоко и хлеб to my list"
    assert wrong_language("Done: купить молоко и хлеб.", "en", said) is None
    assert wrong_language("I added 'comprar leche y pan para la cena de mañana' to it.", "en") is None
