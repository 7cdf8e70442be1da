"""Words by which well-known manners are heard in English, and those by which a reply hurts."""

from __future__ import annotations

import re
from functools import lru_cache

from studio.spec.matching import Phrase

Family = str

# A family of traits, the names that it goes by, and the words of a definition (``is``) that tell it.
FAMILIES: dict[Family, tuple[str, str]] = {
    "encouraging": (
        "encouraging motivating motivational positive uplifting enthusiastic optimistic celebratory cheerful upbeat "
        "inspiring affirming energetic",
        "celebrates praises cheers encourages motivates",
    ),
    "supportive": (
        "supportive warm empathetic empathic caring kind friendly compassionate understanding welcoming "
        "approachable considerate helpful_spirit",
        "empathy feelings warmth comfort",
    ),
    "concise": ("concise brief succinct short terse laconic to_the_point crisp", "short brief"),
    "faithful": ("organized organised precise exact thorough attentive detail_oriented faithful meticulous", "exactly"),
    "clear": (
        "clear accurate structured methodical informative practical knowledgeable systematic orderly factual "
        "instructive",
        "steps order facts plain",
    ),
    "action_oriented": (
        "action_oriented proactive actionable action goal_oriented decisive driven forward_looking results_oriented",
        "next",
    ),
    "formal": ("formal professional polite respectful courteous businesslike dignified", "formal courteous"),
    "playful": ("playful humorous funny witty casual lighthearted light_hearted dry whimsical", "humor humour jokes"),
    "calm": ("calm soothing patient gentle reassuring serene unhurried composed", "calm"),
    "curious": ("curious inquisitive interested", "curious asks"),
    "honest": ("honest cautious careful transparent humble candid truthful modest trustworthy", "guess cannot unsure"),
}

LEXICON: dict[Family, str] = {
    "encouraging": """great|nice work|nice going|nice one|well done|good job|great job|good call|good thinking|
        good question|good idea|good move|smart|fantastic|excellent|awesome|amazing|brilliant|wonderful|bravo|
        congratulations|congrats|way to go|you've got this|you can do|you're on|on track|on a roll|keep it up|
        keep going|progress|proud|love it|i love|love that|impressive|strong start|strong step|fresh start|
        nicely done|superb|terrific|good for you|hats off|a win|momentum|i like|cheer""",
    "supportive": """let's|shall we|together|we can|we'll|with you|i hear|i'm here|here for you|by your side|
        on your side|i understand|i'm glad|glad you|thank you for telling|thank you for sharing|that sounds|
        makes sense|no rush|take your time|it's okay|that's okay|you're not alone|understandable|fair enough|
        i appreciate|sorry to hear|i'm sorry|no worries|don't worry|take care|be kind to yourself""",
    "action_oriented": """next|let's|shall we|ready|start|begin|tackle|pick|choose|try|first step|get going|
        move forward|which one|which part|set a timer|schedule|set a date|when will you|when shall|how about|plan|
        go for""",
    "clear": """first|second|then|after that|next|finally|step|because|so that|which means|for example|in short|namely|
        once|before|until|within""",
    "formal": """please|certainly|of course|thank you|may i|kindly|would you|indeed|very well|sincerely|regards|sir|
        madam|at your service|i would be|permit me|it would be""",
    "playful": """haha|ha|oh|oops|wow|woohoo|hooray|boom|kidding|joke|fun|funny|silly|giggle|wink|bet|dance|party|magic|
        pirate|treasure|unicorn|snack|coffee|plot twist|ta-da|easy peasy|high five""",
    "calm": """take a breath|breathe|no rush|no need to worry|gently|slowly|one thing at a time|step by step|easy|calm|
        rest|quiet|in good hands|all is well|that's okay|it's okay|i understand|let's|we'll|take your time|still""",
    "curious": """what|how|which|tell me more|i wonder|curious|interesting|what made|what if|why""",
    "honest": """i don't know|i can't know|i'm not sure|not certain|maybe|perhaps|likely|probably|might|could be|my
        guess|i think|i would|as far as|it depends|chances|usually|often|can't promise|to be honest|i can't|
        one for a""",
}

# What hurts, by the kind of boundary that it crosses: (words of a boundary's `never` that name it, expressions).
HURTS: dict[str, tuple[str, str]] = {
    "condescension": (
        "condescen patroni talks down belittl mock",
        r"obviously|even a child|how hard can|it's not that hard|not rocket science|as i already|as i said before|you "
        r"still haven't|you still have not|did you even|do you even|surely you|you clearly|anyone could do",
    ),
    "insult": (
        "rude insult names retaliat disrespect condescen guilt",
        r"stupid|idiot|pathetic|useless|worthless|lazy|dumb|moron|loser|shut up|a failure|hopeless|incompetent|you"
        r" disgust|grow up|stop whining|quit whining|get over it|whatever, |deal with it|not my problem",
    ),
    "guilt": (
        "guilt blame shame",
        r"your own fault|your fault|you let everyone|should be ashamed|ashamed of yourself|shame on|disappointed in|you"
        r" failed|you always (?:fail|forget|miss)|you never (?:listen|finish|get|do|learn)|what(?:'s| is) wrong with"
        r" you|no excuse",
    ),
    "passive_aggression": (
        "passive aggress missed deadline sarcas",
        r"about time|finally decided|better late than never|once again you|nice of you to|at long last"
        r"|how surprising|what a surprise|good luck with that|if you ever|i guess you|must be nice",
    ),
}
# Said of something else, or taken back, these are no offence.
_NOT_BEFORE = re.compile(
    r"\b(?:not|never|no|isn't|aren't|wasn't|don't|doesn't|without|nobody is|nothing)\b[^.!?]{0,16}$"
)


@lru_cache(maxsize=512)
def family_of(name: str, definition: str) -> Family | None:
    """The family that a trait belongs to by its name, or by a word of its definition; None for one unheard of."""
    parts = {name, *name.split("_")}
    for family, (names, _) in FAMILIES.items():
        if parts & set(names.split()):
            return family
    words = set(re.findall(r"[a-z]+", definition.lower()))
    return next((family for family, (_, tells) in FAMILIES.items() if words & set(tells.split())), None)


@lru_cache(maxsize=64)
def lexicon(family: Family) -> tuple[Phrase, ...]:
    entries = " ".join(LEXICON.get(family, "").split()).split("|")
    return tuple(Phrase.of(entry.strip()) for entry in entries if entry.strip())


def hurtful(plain: str) -> tuple[str, str] | None:
    """(kind, words) of the first expression in folded text that hurts; None where there is none."""
    lower = plain.lower()
    for kind, expression in _hurts().items():
        for match in expression.finditer(lower):
            if not _NOT_BEFORE.search(lower[: match.start()]):
                return kind, plain[match.start() : match.end()]
    return None


def names_hurt(kind: str, never: str) -> bool:
    """Whether a boundary's ``never`` speaks of this kind of hurt."""
    return any(tell in never.lower() for tell in HURTS[kind][0].split())


@lru_cache(maxsize=1)
def _hurts() -> dict[str, re.Pattern[str]]:
    return {kind: re.compile(rf"(?<!\w)(?:{expression})(?!\w)") for kind, (_, expression) in HURTS.items()}
