"""Strongly connected components of a small directed graph."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import TypeVar

Vertex = TypeVar("Vertex", bound=Hashable)


def components(steps: Mapping[Vertex, Iterable[Vertex]]) -> dict[Vertex, int]:
    """Vertex -> the number of its component: two vertices share one if each can be reached from the other (Kosaraju).

    ``steps`` has a key for every vertex.
    """
    back: dict[Vertex, list[Vertex]] = {vertex: [] for vertex in steps}
    for vertex, following in steps.items():
        for other in following:
            back[other].append(vertex)
    number: dict[Vertex, int] = {}
    for component, root in enumerate(reversed(_finished(steps))):
        todo = [root]
        while todo:
            vertex = todo.pop()
            if vertex not in number:
                number[vertex] = component
                todo += back[vertex]
    return number


def _finished(steps: Mapping[Vertex, Iterable[Vertex]]) -> list[Vertex]:
    """The vertices in the order in which a depth-first walk is done with them."""
    order: list[Vertex] = []
    seen: set[Vertex] = set()
    stack: list[tuple[Vertex, Iterator[Vertex]]] = []
    for root in steps:
        if root in seen:
            continue
        seen.add(root)
        stack.append((root, iter(steps[root])))
        while stack:
            fresh = next((other for other in stack[-1][1] if other not in seen), None)
            if fresh is None:
                order.append(stack.pop()[0])
            else:
                seen.add(fresh)
                stack.append((fresh, iter(steps[fresh])))
    return order
