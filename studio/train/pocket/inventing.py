"""Words that do not exist. Repeating them cannot be learnt by heart: it makes the model learn to copy."""

from __future__ import annotations

import random

_ONSETS = tuple(
    "b bl br c ch cl cr d dr f fl fr g gl gr h j k l m n p pl pr qu r s sc sh sk sl sm sn sp st str t th tr v w wh y "
    "z".split()
)
_VOWELS = tuple("a e i o u ai ea ee ie oa oo ou y".split())
_CODAS = ("", "", "", *"b ck d f g l ll m n nd ng nk nt p r rd rk rm rn rt s sh ss st t tch th x".split())
_ENDINGS = ("", "", "", *"s er ing ed le ion y ure ment ic al o a".split())
_SYLLABLES = (1, 1, 2, 2, 2, 3)


def invented_word(rng: random.Random) -> str:
    """Three to some ten letters that could be English: ``brindle``, ``stoaver``, ``quimping``."""
    syllables = "".join(
        rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_CODAS) for _ in range(rng.choice(_SYLLABLES))
    )
    return f"{syllables}{rng.choice(_ENDINGS)}"
