"""The careful client, reading stored frames as they are."""

from __future__ import annotations

import orjson
from tests.gateway.watcher import Watcher
from websockets.typing import Subprotocol

from runtail_broker.records.frames_message import SUBPROTOCOL, unpack


class FramesWatcher(Watcher):
    """Watch over `runtail.frames.v1`: records come in binary messages, and only they do."""

    subprotocols = (Subprotocol(SUBPROTOCOL),)

    def take(self, text: str | bytes) -> None:
        """Take one message as the JSON that it stands for."""
        if isinstance(text, bytes):
            cursor, records = unpack(text)
            text = b'{"type":"records","records":%b,"cursor":"%b"}' % (
                records,
                str(cursor).encode(),
            )
        else:
            assert orjson.loads(text)["type"] != "records"
        super().take(text)
