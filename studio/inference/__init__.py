"""Offline inference: many items asked of models at once, each stored as it comes, resumed by their ids."""

from studio.inference.run import Item, Made, run_items
from studio.inference.spending import CountedCalls
from studio.inference.types import (
    ItemFailed,
    ItemMade,
    ItemsEvent,
    ItemsFinished,
    ItemsParams,
    ItemsProgressed,
    ItemsStarted,
    Record,
)

__all__ = [
    "CountedCalls",
    "Item",
    "ItemFailed",
    "ItemMade",
    "ItemsEvent",
    "ItemsFinished",
    "ItemsParams",
    "ItemsProgressed",
    "ItemsStarted",
    "Made",
    "Record",
    "run_items",
]
