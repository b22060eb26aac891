"""Count who watches executions, over all gateways; each says how many it serves itself."""

from __future__ import annotations

import secrets

from runtail_broker.connections.client import Nodes
from runtail_broker.errors import EngineRefused
from runtail_broker.keys import ExecutionKeys
from runtail_broker.script import script


class Audience:
    """The viewers of executions, as one gateway tells and learns them. Raises what `Nodes` raises.

    What a gateway said counts for *keep_seconds*, if it does not say it again.
    """

    def __init__(self, nodes: Nodes, keep_seconds: float) -> None:
        self._nodes, self._keep_ms = nodes, int(keep_seconds * 1000)
        self._own = secrets.token_hex(8)

    async def count(self, execution_id: str, here: int) -> int:
        """Say that *here* viewers are served by this gateway; learn how many there are in all."""
        keys = ExecutionKeys.of(execution_id)
        said = (1, keys.viewers, self._own, here, self._keep_ms, keys.live)
        known = script("viewers")
        try:
            return int(await self._nodes.ask(keys.viewers, ("EVALSHA", known.sha, *said)))
        except EngineRefused:  # it is not known there: this makes it so
            return int(
                await self._nodes.at(keys.viewers, lambda node: node.eval(known.text, *said))
            )
