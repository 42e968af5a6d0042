"""Rings: the parts of a directed graph from which one can come back to where one was.

Tarjan's algorithm, without recursion, and from given roots only: a graph of ten thousand definitions is walked no
further than it can be reached.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator

type Successors = Callable[[str], Iterable[str]]


def rings(roots: Iterable[str], successors: Successors) -> list[frozenset[str]]:
    """The strongly connected components that can be reached from the roots and hold a way back: several nodes, or one
    that follows itself."""
    walk = _Walk(successors)
    for root in roots:
        walk.through(root)
    return walk.found


class _Walk:
    def __init__(self, successors: Successors) -> None:
        self._successors = successors
        self._number: dict[str, int] = {}
        self._low: dict[str, int] = {}
        self._stack: dict[str, None] = {}
        self.found: list[frozenset[str]] = []

    def through(self, root: str) -> None:
        path = [] if root in self._number else [self._entered(root)]
        while path:
            node, following = path[-1]
            following_node = next(following, None)
            if following_node is None:
                path.pop()
                self._left(node, path[-1][0] if path else None)
            elif following_node not in self._number:
                path.append(self._entered(following_node))
            elif following_node in self._stack:
                self._low[node] = min(self._low[node], self._number[following_node])

    def _entered(self, node: str) -> tuple[str, Iterator[str]]:
        self._number[node] = self._low[node] = len(self._number)
        self._stack[node] = None
        return node, iter(self._successors(node))

    def _left(self, node: str, parent: str | None) -> None:
        if parent is not None:
            self._low[parent] = min(self._low[parent], self._low[node])
        if self._low[node] == self._number[node]:
            component = self._cut_off(node)
            if len(component) > 1 or node in self._successors(node):
                self.found.append(component)

    def _cut_off(self, node: str) -> frozenset[str]:
        component = set()
        while node not in component:
            last, _ = self._stack.popitem()
            component.add(last)
        return frozenset(component)


def round_trip(start: str, ring: frozenset[str], successors: Successors) -> list[str]:
    """A shortest way from a node of a ring back to itself, both ends included."""
    came_from: dict[str, str] = {}
    waiting = deque([start])
    while waiting:
        node = waiting.popleft()
        for following in successors(node):
            if following == start:
                return [start, *_back(node, start, came_from), start]
            if following in ring and following not in came_from:
                came_from[following] = node
                waiting.append(following)
    raise ValueError(f"{start} is not in a ring")


def _back(node: str, start: str, came_from: dict[str, str]) -> list[str]:
    way = []
    while node != start:
        way.append(node)
        node = came_from[node]
    return way[::-1]
