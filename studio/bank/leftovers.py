"""Refusals and template leftovers in what a model wrote of somebody, by language, and the language of a short text.

The lists are of English, German, French, Spanish, Italian, Portuguese and Dutch. A text is searched in the languages
that it is known or seen to be in and in no other. Marks that are of no language (brackets, braces, bold type, lorem
ipsum) are searched in all. Case, kinds of apostrophes, and accents composed or not make no difference.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from typing import Any, NamedTuple

from studio.text.normalize import folded
from studio.text.words import words_of

LEAST_LETTERS = 60
"""Letters from which the classifier tells a language with some safety."""
SURE = 0.9
"""Probability that it must give."""
_HITS, _LEAD, _SHARE = 3, 1.5, 0.12
"""Stop words of a language that a text has at least, times those of the next language, and as a share of its words."""


class Lists(NamedTuple):
    refusal: re.Pattern[str]
    template: re.Pattern[str]


def _lists(refusal: str, template: str) -> Lists:
    return Lists(*(re.compile(rf"(?<!\w)(?:{one})", re.IGNORECASE) for one in (refusal, template)))


LISTS = {
    "en": _lists(
        r"as an? (?:large )?(?:ai (?:language )?(?:model|assistant|system)|language model|"
        r"artificial intelligence)\b|"
        r"as an ai(?=,? i\b|,)|i(?: am|'m) (?:an? (?:large )?(?:ai|language model)\b|(?:very |"
        r"so )?sorry,? (?:but )?i\b)|"
        r"i(?: am|'m) (?:unable|not able) to (?:help|assist|create|provide|generate|write|fulfil)|"
        r"i (?:cannot|can't|can not|won't) (?:\w+ ){0,2}(?:help|assist|create|provide|generate|write|fulfil)|"
        r"i must decline|against my (?:guidelines|policy|programming)",
        r"(?:insert|your) name\b|placeholder\b|example persona\b|persona (?:\d+|description)\b|as requested\b|"
        r"here(?: is|'s) (?:a|the|your) (?:\w+ ){0,3}(?:persona|person|profile|character|description|background|"
        r"bio)\b|"
        r"(?:todo|tbd|n/a)(?!\w)",
    ),
    "de": _lists(
        r"als (?:ein |eine )?(?:großes )?(?:ki\b|ki-\w+|sprachmodell|künstliche intelligenz)(?! und| in )|"
        r"ich bin (?:nur )?(?:ein |eine )?(?:ki\b|sprachmodell|künstliche intelligenz)|"
        r"(?:es )?tut mir (?:sehr )?leid,? (?:aber )?(?:ich|das|dabei)\b|"
        r"(?:ich|dabei|damit) kann (?:\w+ ){0,4}nicht (?:helfen|weiterhelfen|erstellen|schreiben|erzeugen|"
        r"beantworten)|"
        r"ich kann (?:ihnen|dir|euch) (?:\w+ ){0,3}nicht|ich muss (?:das |dies )?ablehnen|gegen meine richtlinien",
        r"(?:name|beruf|ort|alter) (?:hier )?einfügen|(?:ihr|dein) name hier\b|platzhalter\b|beispielpersona\b|"
        r"persona \d+\b|hier (?:ist|kommt) (?:eine?|die|das|deine|ihre) (?:\w+ ){0,2}(?:persona|person|profil|"
        r"beschreibung)\b|"
        r"wie (?:gewünscht|angefragt|verlangt)(?=[,:.])|k\. ?a\.(?!\w)",
    ),
    "fr": _lists(
        r"en tant qu(?:e |')(?:ia\b|intelligence artificielle|(?:grand )?modèle de langage|assistant (?:ia|"
        r"virtuel))|"
        r"je suis (?:une? )?(?:ia\b|intelligence artificielle|modèle de langage)|"
        r"(?:je suis )?(?:vraiment )?désolée?,? (?:mais )?je ne\b|"
        r"je ne (?:peux|puis|suis pas en mesure)(?: pas)? (?:de |vous )?(?:\w+ ){0,2}"
        r"(?:aider|créer|fournir|générer|écrire|rédiger|répondre)|je dois (?:décliner|refuser)|"
        r"contraire à mes (?:règles|directives)",
        r"(?:insérer|votre) (?:le )?nom ici\b|\w+ à (?:insérer|compléter)\b|espace réservé\b|exemple de persona\b|"
        r"persona \d+\b|voici (?:une?|le|la|votre) (?:\w+ ){0,2}(?:persona|personne|personnage|profil|"
        r"description)\b|"
        r"comme demandé\b|à définir\b",
    ),
    "es": _lists(
        r"como (?:una? )?(?:ia\b|inteligencia artificial|(?:gran )?modelo de lenguaje|asistente (?:de ia|"
        r"virtual))(?=,| no\b| yo\b)|"
        r"soy (?:solo )?una? (?:ia\b|inteligencia artificial|modelo de lenguaje)|"
        r"lo siento,? (?:pero )?(?:no\b|yo\b)|(?:lo lamento|disculpa|disculpe),? (?:pero )?no puedo|"
        r"no puedo (?:\w+ ){0,2}(?:ayudar(?:te|le)?|crear|proporcionar|generar|escribir|responder)\b|"
        r"debo (?:rechazar|negarme)|contra mis (?:normas|directrices|políticas)",
        r"(?:insertar?|inserte|tu|su) nombre aquí\b|(?:insertar|por completar|por definir)\b|"
        r"marcador de posición\b|"
        r"persona de ejemplo\b|persona \d+\b|"
        r"(?:aquí (?:está|tienes|tiene)|esta es) (?:una?|el|la|tu|su) (?:\w+ ){0,2}(?:persona|perfil|personaje|"
        r"descripción)\b|"
        r"(?:como|según lo) solicitado\b",
    ),
    "it": _lists(
        r"(?:come|in quanto) (?:una? |un')?(?:ia\b|intelligenza artificiale|(?:grande )?modello linguistico|"
        r"assistente (?:ia|virtuale))"
        r"(?=,| non\b)|sono (?:solo )?(?:una? |un')(?:ia\b|intelligenza artificiale|modello linguistico)|"
        r"mi (?:dispiace|spiace),? (?:ma )?(?:non|io)\b|"
        r"non posso (?:\w+ ){0,2}(?:aiutar(?:ti|la|e)|creare|fornire|generare|scrivere|rispondere)\b|"
        r"non sono in grado di (?:aiutar(?:ti|la|e)|creare|fornire|generare|scrivere)|devo (?:rifiutare|declinare)|"
        r"contro le mie (?:linee guida|regole)",
        r"(?:inserire|inserisci|il tuo) (?:il )?nome(?: qui)?\b|segnaposto\b|persona di esempio\b|persona \d+\b|"
        r"(?:ecco|questa è) (?:una?|un'|il|la|la tua) (?:\w+ ){0,2}(?:persona|profilo|personaggio|descrizione)\b|"
        r"come richiesto\b|da (?:definire|completare)\b",
    ),
    "pt": _lists(
        r"(?:como|enquanto) (?:uma? )?(?:ia\b|inteligência artificial|(?:grande )?modelo de linguagem|"
        r"assistente (?:de ia|virtual))"
        r"(?=,| não\b| eu\b)|(?:eu )?sou (?:apenas )?uma? (?:ia\b|inteligência artificial|modelo de linguagem)|"
        r"(?:sinto muito|lamento|desculpe|desculpa|me desculpe),? (?:mas )?(?:eu )?não\b|"
        r"não (?:posso|consigo) (?:\w+ ){0,2}(?:ajudar|ajudá-l[oa]|criar|fornecer|gerar|escrever|responder)\b|"
        r"(?:devo|preciso|tenho de|tenho que) recusar|contra as minhas (?:diretrizes|regras)",
        r"(?:inserir|insira|o seu|seu) (?:o )?nome aqui\b|(?:marcador|espaço) reservado\b|persona de exemplo\b|"
        r"persona \d+\b|(?:aqui está|eis|esta é) (?:uma?|o|a|a sua|sua) (?:\w+ ){0,2}(?:persona|pessoa|perfil|"
        r"personagem|descrição)\b|"
        r"(?:como|conforme) (?:solicitado|pedido)\b|a (?:definir|completar)\b",
    ),
    "nl": _lists(
        r"als (?:een )?(?:groot )?(?:ai\b(?=,| kan\b| ben\b| heb\b)|ai-\w+|taalmodel|kunstmatige intelligentie)|"
        r"ik ben (?:slechts |maar )?een (?:ai\b|taalmodel|kunstmatige intelligentie)|"
        r"(?:het spijt me|sorry),? (?:maar )?(?:ik|dat|daar)\b|"
        r"(?:ik kan|daar kan ik) (?:\w+ ){0,4}niet (?:mee )?(?:\w+ )?(?:helpen|maken|schrijven|genereren|"
        r"beantwoorden)|"
        r"ik kan (?:u|je|jou|jullie) (?:\w+ ){0,3}niet|ik moet (?:dit |dat )?weigeren|tegen mijn richtlijnen",
        r"(?:vul )?(?:naam|uw naam|je naam) (?:hier|invullen)\b|(?:in te vullen|plaatshouder)\b|voorbeeldpersona\b|"
        r"persona \d+\b|hier (?:is|volgt) (?:een|de|het|je|uw) (?:\w+ ){0,2}(?:persona|persoon|profiel|"
        r"beschrijving)\b|"
        r"zoals (?:gevraagd|verzocht)\b|n\.v\.t\.(?!\w)",
    ),
}
MARKS = re.compile(
    r"\[[^\]\d][^\]]*\]|\{\{?\w[\w ]*\}?\}|<[a-z_ ]+>|\blorem ipsum\b|\*\*|```|__+|<\|[^|]*\|>", re.IGNORECASE
)
"""What is left of a template in any language."""

_STOP_WORDS = {
    code: frozenset(words.split())
    for code, words in {
        "en": "the and is are was has have with who for of to in on her his their she he they at by from but "
        "not that "
        "about after when every always never likes loves works lives i an a this which it as",
        "de": "der die das und ist sind war hat haben mit für von zu zum zur im in auf ihr ihre sein seine sie "
        "er es bei aus "
        "aber nicht dass über nach wenn jeden immer nie mag liebt arbeitet wohnt ich ein eine einer einem einen "
        "als auch sich",
        "fr": "le la les et est sont était a ont avec qui pour de du des dans sur son sa ses leur elle il ils "
        "elles à par chez "
        "mais ne pas que quand chaque toujours jamais aime travaille vit je un une ce cette au aux en depuis",
        "es": "el la los las y es son era ha han con que para de del en sobre su sus ella él ellos a por desde "
        "pero no cuando "
        "cada siempre nunca le gusta trabaja vive yo un una este esta al se muy también lo",
        "it": "il lo la i gli le e è sono era ha hanno con che per di del della dei nel nella su suo sua suoi "
        "lei lui a da ma "
        "non quando ogni sempre mai ama lavora vive io un una questo questa al alla si anche molto dopo",
        "pt": "o a os as e é são era tem têm com que para de do da dos das em no na sobre seu sua seus ela ele "
        "por desde mas "
        "não quando cada sempre nunca gosta trabalha vive eu um uma este esta ao se muito também há mora",
        "nl": "de het een en is zijn was heeft hebben met die voor van te in op haar hun zij hij ze bij uit "
        "maar niet dat over "
        "na als elke altijd nooit houdt werkt woont ik deze dit ook aan om naar er wordt sinds",
    }.items()
}
_LANGUAGES = {
    word: tuple(code for code, known in _STOP_WORDS.items() if word in known)
    for word in frozenset().union(*_STOP_WORDS.values())
}
_SCRIPTS = {
    **{"HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko", "THAI": "th", "GREEK": "el", "HEBREW": "he", "TAMIL": "ta"},
    **{"TELUGU": "te", "GEORGIAN": "ka", "ARMENIAN": "hy", "KHMER": "km", "LAO": "lo", "BENGALI": "bn"},
    **{"GUJARATI": "gu", "KANNADA": "kn", "MALAYALAM": "ml", "GURMUKHI": "pa", "MYANMAR": "my", "SINHALA": "si"},
}
"""Scripts that are of one language, by the first word of a character's Unicode name."""


def refusal(text: str, *languages: str | None) -> str | None:
    """What of ``text`` is a model that declines, in any of the ``languages`` (ISO 639-1)."""
    return _first(text, [LISTS[one].refusal for one in dict.fromkeys(languages) if one in LISTS])


def leftover(text: str, *languages: str | None) -> str | None:
    """What of ``text`` is left of a template or of an answer's frame."""
    return _first(text, [MARKS, *(LISTS[one].template for one in dict.fromkeys(languages) if one in LISTS)])


def _first(text: str, patterns: list[re.Pattern[str]]) -> str | None:
    plain = folded(text)
    return next((match[0] for pattern in patterns if (match := pattern.search(plain))), None)


def language_of(text: str) -> str | None:
    """The ISO 639-1 code of the language of ``text``: by its script, its stop words, or a classifier.

    None where it is too short to tell. The classifier (1.6 s, 100 MB) is loaded for what the others leave open.
    """
    if not text.isascii() and (code := _by_script(text)):
        return code
    words = words_of(text)
    hits = Counter(code for word in words if word in _LANGUAGES for code in _LANGUAGES[word])
    (best, most), (_, next_most) = [*hits.most_common(2), ("", 0), ("", 0)][:2]
    if most >= max(_HITS, _SHARE * len(words)) and most >= _LEAD * next_most:
        return best
    if sum(map(str.isalpha, text)) < LEAST_LETTERS:
        return None
    code, probability = _identifier().classify(text)
    return str(code) if probability > SURE else None


def _by_script(text: str) -> str | None:
    letters = [one for one in text[:400] if one.isalpha()]
    if 2 * sum(map(str.isascii, letters)) >= len(letters):
        return None
    scripts = Counter(unicodedata.name(one, "").partition(" ")[0] for one in letters)
    if (scripts["HIRAGANA"] + scripts["KATAKANA"]) * 10 > scripts.total():
        return "ja"  # which is written with Chinese characters, too
    script, count = scripts.most_common(1)[0]
    return _SCRIPTS.get(script) if 2 * count > scripts.total() else None


@lru_cache(maxsize=1)
def _identifier() -> Any:
    """py3langid's model with probabilities that add up to 1; loaded once."""
    from py3langid import langid

    return langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
