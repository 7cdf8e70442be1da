"""The rules judge: a judge that reads no meaning, works from what the spec holds, and is always there.

It measures manner, steps, the words that a reply has to repeat, and above all how like the spec's own answers a reply
is: what it does with the request, against what the examples do with such a request. It does not measure truth or
meaning: what is said in words that the spec does not use may be right, and is not vouched for. Traits are heard by the
spec's cues and by common English words for well-known manners; without either, by likeness to the persona's own
replies. What is wrong with a whole reply holds every trait down. The same text gets the same marks.
"""

from studio.judge.offline.judge import MEASURES, NAME, VERSION, rules_judge

__all__ = ["MEASURES", "NAME", "VERSION", "rules_judge"]
