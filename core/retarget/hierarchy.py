"""Ancestor questions on a bone hierarchy."""

from collections.abc import Sequence


class Hierarchy:
    """Bones as indices, parents before children; ``parents`` [B] are -1 for roots."""

    def __init__(self, parents: Sequence[int]) -> None:
        self.count = len(parents)
        self.parents = tuple(int(parent) for parent in parents)
        self.children: list[list[int]] = [[] for _ in self.parents]
        self.depth = [0] * self.count
        for bone, parent in enumerate(self.parents):
            if parent >= 0:
                self.children[parent].append(bone)
                self.depth[bone] = self.depth[parent] + 1
        self._first, self._last = self._intervals()

    def _intervals(self) -> tuple[list[int], list[int]]:
        """Numbers of a walk through the tree: a bone's descendants lie between its two."""
        size = [1] * self.count
        for bone in range(self.count - 1, -1, -1):
            if self.parents[bone] >= 0:
                size[self.parents[bone]] += size[bone]
        first, free, roots = [0] * self.count, [0] * self.count, 0
        for bone, parent in enumerate(self.parents):
            if parent < 0:
                first[bone], roots = roots, roots + size[bone]
            else:
                first[bone] = free[parent]
                free[parent] += size[bone]
            free[bone] = first[bone] + 1
        return first, [f + s for f, s in zip(first, size, strict=True)]

    def is_above(self, ancestor: int, bone: int) -> bool:
        """Whether one bone is a strict ancestor of the other."""
        return self._first[ancestor] < self._first[bone] < self._last[ancestor]

    def above(self, bone: int) -> list[int]:
        """Ancestors from the root down to the parent."""
        found = []
        while (bone := self.parents[bone]) >= 0:
            found.append(bone)
        return found[::-1]

    def common(self, bones: Sequence[int]) -> list[int]:
        """Common ancestors (never one of the bones themselves), root first."""
        if not bones:
            return []
        return [b for b in self.above(bones[0]) if all(self.is_above(b, x) for x in bones)]

    def between(self, top: int, bottom: int) -> list[int]:
        """Bones strictly below ``top`` and above ``bottom``."""
        return [b for b in self.above(bottom) if self.is_above(top, b)]

    def below(self, bone: int) -> int:
        """How many bones hang on a bone, directly or not."""
        return self._last[bone] - self._first[bone] - 1
