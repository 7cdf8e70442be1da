"""Conversations between people of the bank: a relation, two people, a situation, and turns until code ends it."""

from studio.bank.talk.export import chatml, export_talks
from studio.bank.talk.job import CAP, ENTRY, LEAST_CAP, MOST_CAP, TalkParams, make_talks
from studio.bank.talk.record import KIND, Draw, Talk
from studio.bank.talk.relations import Side

__all__ = [
    "CAP",
    "ENTRY",
    "KIND",
    "LEAST_CAP",
    "MOST_CAP",
    "Draw",
    "Side",
    "Talk",
    "TalkParams",
    "chatml",
    "export_talks",
    "make_talks",
]
