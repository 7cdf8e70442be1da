"""A checker of people: contradictions of age, family, work, traits and manner, found in their texts and fields alone.

It knows nothing of how people are composed: its rules are of what the words mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from studio.bank.person import OLDEST, YOUNGEST, Person, faults

AGES: tuple[tuple[str, int, int], ...] = (
    (r"grand(child|children|daughter|son|parent)", 40, 99),
    (r"(?<!have )\bretired\b|farewell cake|when the knees said so|handed in the keys", 55, 99),
    (r"until (her|his|their) pension", 55, 70),
    (r"newborn|teething|expecting|fertility|back from parental leave", 18, 50),
    (r"fertility|expecting", 20, 46),
    (r"\ba teenager\b|teenage (son|daughter)", 30, 65),
    (r"grown-up|adult daughter|youngest child move out|last child|child's wedding", 38, 99),
    (r"started school|nursery|toddler\b|little one|knows every playground", 20, 58),
    (r"parents' home|childhood bedroom", 18, 34),
    (r"first full-time job", 18, 28),
    (r"fifteen years younger", 34, 70),
    (r"changed careers", 28, 62),
    (r"(see|for|after) (her|his|their) mother|father with dementia|(her|his|their) parents through", 18, 70),
    (r"\bwidow|lost a partner|spouse died|since the funeral", 24, 99),
    (r"divorce", 22, 99),
    (r"student loan", 18, 40),
    (r"(medical|nursing|law|history|biology|art|music) student|apprentice", 18, 38),
    (r"doctoral student", 22, 40),
)
"""What a background or a profession says, and the ages between which it can be so."""
LEAST_AGES = {
    **dict.fromkeys(("doctor", "dentist", "lawyer", "pharmacist", "veterinarian", "psychologist"), 24),
    **dict.fromkeys(("chief executive", "school principal", "operations manager", "IT manager"), 26),
    **dict.fromkeys(("primary school teacher", "registered nurse", "civil engineer", "accountant", "pilot"), 21),
    **dict.fromkeys(("truck driver", "police officer", "school bus driver", "taxi driver"), 20),
    "university lecturer": 25,
}
CLASHES: tuple[tuple[str, str], ...] = (
    # family
    (
        r"lives alone|parents' home|childhood bedroom|with two friends|up two children alone|child alone|son alone",
        r"\bspouse\b|married|with a partner|newborn|wedding that",
    ),
    (
        r"expecting a first|fertility|lives alone|childhood bedroom",
        r"\ba teenager|toddler\b|newborn|teething|grandc|started school",
    ),
    (r"divorce papers|since the divorce|after a divorce", r"\bspouse\b|is married|with a partner|wedding that"),
    (r"lost a partner|since the funeral|spouse died", r"is married|with a partner|wedding that|divorce"),
    (r"youngest child move out|last child's move", r"toddler\b|a teenager|nursery|started school|newborn"),
    (r"full-time parent|with the children", r"expecting a first|fertility|youngest child move out|lives alone"),
    # work
    (
        r"(?<!have )\bretired\b|out of work|full-time (parent|carer)|when the place closed",
        r"promoted|works for a boss|layoffs|works council|second job|commute|night shifts|parental leave|diploma"
        r"|first full-time|kitchen table|until \w+ pension|changed careers|could have retired|seen the office",
    ),
    (
        r"^[^.]*(student|apprentice)",
        r"promoted|until \w+ pension|works council|layoffs|retired|changed careers|seen the office",
    ),
    (
        r"kitchen table|since it closed|bad back and a good chair",
        r"^[^.]*(driver|nurse|\bcook|waiter|janitor|mechanic|guard|police|firefighter|cashier|labourer|welder|baker|roofer|plumber"
        r"|electrician|warehouse|stocker|farm|dentist|barber|hairdresser|bartender|packer|assembler|pilot|chef|washer)",
    ),
    (r"^apprentice", r"to go to university|\bthesis\b"),
    (r"\d+ years (as|in)\b", r"changed careers|first full-time job"),
    (r"^(chief executive|school principal|farmer|barber|photographer)", r"works for a boss|layoffs|works council"),
    # body and habits
    (r"been sober", r"brews beer|bartender|pours pints|mixes drinks"),
    (r"gluten", r"sourdough|\bbaker\b|rye bread|wedding cakes"),
    (
        r"screen reader",
        r"photographs|watches birds|watercolours|crossword|^[^.]*driver|pilot|counts butterflies|paints",
    ),
    (
        r"waiting for a knee|bad back",
        r"half marathon|climbing wall|indoor wall|boxes at|tango|five-a-side|skates|rows with",
    ),
    (
        r"(?<!fail )at night(?! school)|night rota|through the night|works nights|at three|from two in the morning",
        r"teething|wakes at four|(she|he|it) sleeps through",
    ),
    # place
    (
        r"knows nobody yet|came to the country",
        r"born and bred|is home\.|Calls \S+ home|long enough to complain|^Friends say",
    ),
    (r"came to the country|new passport|as an adult and reads", r"born and bred"),
    # pronouns
    (r"\b(her|herself)\b", r"\b(his|himself)\b"),
    (r"\bthemself\b", r"\b(her|his|herself|himself)\b"),
)
"""What cannot be said of the same person, in profession and background."""
OPPOSITES = """
patient impatient, calm hot-tempered, calm anxious, shy outgoing, reserved talkative, taciturn talkative, taciturn
chatty, optimistic pessimistic, cheerful gloomy, trusting suspicious, organised chaotic, tidy messy, cautious
reckless, careful careless, punctual unpunctual, hard-working lazy, ambitious unambitious, generous stingy, thrifty
extravagant, modest vain, humble arrogant, kind spiteful, kind cold, kind selfish, warm cold, honest evasive,
tactful tactless, polite rude, stubborn flexible, rigid flexible, open-minded narrow-minded, witty humourless,
loyal fickle, reliable fickle, curious incurious, confident insecure, sentimental unsentimental, forgiving
resentful, easygoing anxious, content restless, fearless squeamish, inventive unimaginative, private gossipy,
meticulous sloppy, reliable forgetful, composed nervous, considerate selfish
"""
STYLES: tuple[tuple[str, str], ...] = (
    (r"no emoji", r"smiley|emoji instead|thumbs-up|hearts|skull|odd emoji"),
    (r"all lower case", r"CAPITALS|correct capitals|With A Capital"),
    (r"no punctuation|never a full stop", r"exclamation|semicolons|commas even|dots instead"),
    (
        r"yes or no|six words|one short line|as little as",
        r"a page|long paragraph|anecdotes|run-ons|overshares|explains why",
    ),
    (r"no greeting", r"good morning|how you are|kind regards|thanks in advance"),
    (r"within seconds", r"after hours|goes silent|only in the evening"),
    (r"spells everything out", r"abbreviations|shortens words|drops vowels"),
    (r"straight to the point", r"hedges|hints|how you are"),
)
OF_ENGLISH = (
    "England",
    "Scotland",
    "Ireland",
    "United States",
    "Canada",
    "Australia",
    "New Zealand",
    "Nigeria",
    "Jamaica",
)
_PAIRS = [tuple(one.split()) for one in OPPOSITES.replace("\n", " ").split(",")]
_AGES = [(re.compile(words), low, high) for words, low, high in AGES]
_CLASHES = [(re.compile(one), re.compile(other)) for one, other in CLASHES]
_STYLES = [(re.compile(one), re.compile(other)) for one, other in STYLES]
_NUMBER = re.compile(r"\b(\d+)\b( years)?")


def contradictions(person: Person) -> Iterator[str]:
    """Everything that cannot be so of ``person``, each in a few words."""
    yield from faults(person)
    age, said = person.age or 0, f"{person.profession}. {person.background}"
    if not YOUNGEST <= age <= OLDEST:
        yield f"age {age}"
    for words, low, high in _AGES:
        if (found := words.search(said)) and not low <= age <= high:
            yield f"{found[0]} at {age}"
    work = person.profession.removeprefix("retired ").removesuffix(" out of work")
    if age < LEAST_AGES.get(work, 0):
        yield f"{work} at {age}"
    for number, years in _NUMBER.findall(person.background):
        if years and int(number) > age - max(LEAST_AGES.get(work, 18), 18):
            yield f"{number} years of work at {age}"
        if not years and int(number) != age:
            yield f"{number} said of somebody of {age}"
    for one, other in _CLASHES:
        if (first := one.search(said)) and (second := other.search(said)):
            yield f"{first[0]} and {second[0]}"
    yield from (f"{one} and {other}" for one, other in _PAIRS if one in person.traits and other in person.traits)
    for one, other in _STYLES:
        if (first := one.search(person.chatting_style)) and (second := other.search(person.chatting_style)):
            yield f"{first[0]} and {second[0]}"
    if person.language == "en" and person.place.endswith(OF_ENGLISH):
        if re.search(r"second language|mother tongue|leaves out articles", person.chatting_style):
            yield "writes English as a second language, and it is the first"
        if re.search(r"another language|learned the language|one language and", person.background):
            yield "speaks another language at home, and it is the same"
    if {"private", "taciturn"} & {*person.traits} and re.search(r"overshares|anecdotes|gossip", person.chatting_style):
        yield "private, and tells everything"
