"""Carry out a schedule on a cluster: what a world does, and what only clusters have."""

from __future__ import annotations

import asyncio
import random

from tests.faults.cluster import ClusterEngine
from tests.faults.world import World

from runtail_broker.connections.client import Nodes


class ClusterWorld(World):
    """One execution on a cluster."""

    def __init__(self, engine: ClusterEngine, nodes: Nodes, execution_id: str) -> None:
        super().__init__(engine, nodes, execution_id)
        self._cluster = engine

    async def _fail_over_by_command(self, _: random.Random) -> None:
        await asyncio.to_thread(self._cluster.fail_over_by_command, self.execution_id)

    async def _fail_over_by_kill(self, _: random.Random) -> None:
        await asyncio.to_thread(self._cluster.fail_over_by_kill, self.execution_id)

    async def _migrate_slot(self, _: random.Random) -> None:
        await asyncio.to_thread(self._cluster.migrate_slot, self.execution_id)

    async def _heal(self, chance: random.Random) -> None:
        await super()._heal(chance)
        await asyncio.to_thread(self._cluster.end_move)
