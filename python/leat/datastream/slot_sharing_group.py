"""`SlotSharingGroup` and `MemorySize`, as PyFlink's `pyflink.datastream.slot_sharing_group`.

Groups are names here: Leat has no slots, and shows the name in the plan.
"""

from __future__ import annotations

import functools
from typing import NoReturn

__all__ = ["MemorySize", "SlotSharingGroup"]


@functools.total_ordering
class MemorySize:
    """An amount of memory. Give `bytes_size`; `j_memory_size` takes another MemorySize."""

    def __init__(
        self, j_memory_size: MemorySize | None = None, bytes_size: int | None = None
    ) -> None:
        if j_memory_size is not None:
            bytes_size = j_memory_size._bytes
        if bytes_size is None or bytes_size < 0:
            raise ValueError(f"bytes_size must be 0 or more, not {bytes_size}")
        self._bytes: int = bytes_size

    @staticmethod
    def of_mebi_bytes(mebi_bytes: int) -> MemorySize:
        """So many times 1024 * 1024 bytes."""
        return MemorySize(bytes_size=mebi_bytes << 20)

    def get_bytes(self) -> int:
        """In bytes."""
        return self._bytes

    def get_kibi_bytes(self) -> int:
        """In KiB, rounded down."""
        return self._bytes >> 10

    def get_mebi_bytes(self) -> int:
        """In MiB, rounded down."""
        return self._bytes >> 20

    def get_gibi_bytes(self) -> int:
        """In GiB, rounded down."""
        return self._bytes >> 30

    def get_tebi_bytes(self) -> int:
        """In TiB, rounded down."""
        return self._bytes >> 40

    def get_java_memory_size(self) -> NoReturn:
        """Always a NotSupportedError: there is no Java behind Leat's objects."""
        _no_java("MemorySize")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MemorySize) and self._bytes == other._bytes

    def __lt__(self, other: MemorySize) -> bool:
        return self._bytes < other._bytes

    def __hash__(self) -> int:
        return hash(self._bytes)

    def __str__(self) -> str:
        return f"{self._bytes} bytes"


class SlotSharingGroup:
    """A named group of operators and what it needs. `j_slot_sharing_group` is its Builder."""

    class Builder:
        """Describes a group; setters answer the builder."""

        def __init__(self, j_builder: str) -> None:
            self._name = j_builder
            self._cpu_cores: float | None = None
            self._heap: MemorySize | None = None
            self._off_heap: MemorySize | None = None
            self._managed: MemorySize | None = None
            self._external: dict[str, float] = {}

        def set_cpu_cores(self, cpu_cores: float) -> SlotSharingGroup.Builder:
            """How many cores a subtask needs."""
            self._cpu_cores = float(cpu_cores)
            return self

        def set_task_heap_memory(self, task_heap_memory: MemorySize) -> SlotSharingGroup.Builder:
            """Memory of user functions."""
            self._heap = task_heap_memory
            return self

        def set_task_heap_memory_mb(self, task_heap_memory_mb: int) -> SlotSharingGroup.Builder:
            """Memory of user functions, in MiB."""
            return self.set_task_heap_memory(MemorySize.of_mebi_bytes(task_heap_memory_mb))

        def set_task_off_heap_memory(
            self, task_off_heap_memory: MemorySize
        ) -> SlotSharingGroup.Builder:
            """Memory outside of Java's heap."""
            self._off_heap = task_off_heap_memory
            return self

        def set_task_off_heap_memory_mb(
            self, task_off_heap_memory_mb: int
        ) -> SlotSharingGroup.Builder:
            """Memory outside of Java's heap, in MiB."""
            return self.set_task_off_heap_memory(MemorySize.of_mebi_bytes(task_off_heap_memory_mb))

        def set_managed_memory(self, managed_memory: MemorySize) -> SlotSharingGroup.Builder:
            """Memory that the runtime manages."""
            self._managed = managed_memory
            return self

        def set_managed_memory_mb(self, managed_memory_mb: int) -> SlotSharingGroup.Builder:
            """Memory that the runtime manages, in MiB."""
            return self.set_managed_memory(MemorySize.of_mebi_bytes(managed_memory_mb))

        def set_external_resource(self, name: str, value: float) -> SlotSharingGroup.Builder:
            """An amount of another resource."""
            self._external[name] = float(value)
            return self

        def build(self) -> SlotSharingGroup:
            """The group."""
            return SlotSharingGroup(self)

    def __init__(self, j_slot_sharing_group: SlotSharingGroup.Builder) -> None:
        self._parts = j_slot_sharing_group

    @staticmethod
    def builder(name: str) -> SlotSharingGroup.Builder:
        """Begin to describe the group of this name."""
        return SlotSharingGroup.Builder(name)

    def get_name(self) -> str:
        """The name."""
        return self._parts._name

    def get_managed_memory(self) -> MemorySize | None:
        """Memory that the runtime manages, if it was set."""
        return self._parts._managed

    def get_task_heap_memory(self) -> MemorySize | None:
        """Memory of user functions, if it was set."""
        return self._parts._heap

    def get_task_off_heap_memory(self) -> MemorySize | None:
        """Memory outside of Java's heap, if it was set."""
        return self._parts._off_heap

    def get_cpu_cores(self) -> float | None:
        """Cores, if they were set."""
        return self._parts._cpu_cores

    def get_external_resources(self) -> dict[str, float]:
        """Other resources by name."""
        return dict(self._parts._external)

    def get_java_slot_sharing_group(self) -> NoReturn:
        """Always a NotSupportedError: there is no Java behind Leat's objects."""
        _no_java("SlotSharingGroup")


def _no_java(what: str) -> NoReturn:
    from leat.common.errors import NotSupportedError

    raise NotSupportedError(f"Leat has no Java {what}", f"use the {what} itself")
