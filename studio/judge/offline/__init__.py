"""The rules judge: a judge that reads no meaning, works from what the spec holds, and is always there.

It hears traits by the spec's cues and by common words for well-known manners, measures what can be measured (length,
the words that a reply has to repeat, how it ends), and falls back on likeness to the persona's own replies. What is
wrong with a whole reply (no answer, nonsense, an insult) holds every trait down. The same text gets the same marks.
"""

from studio.judge.offline.judge import rules_judge

__all__ = ["rules_judge"]
