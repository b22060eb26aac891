"""The careful client with a filter: what it does not get must be counted, record by record."""

from __future__ import annotations

from typing import Any

import orjson
from tests.gateway.running import Running
from tests.gateway.watcher import Watcher

from runtail_broker.cursor import Cursor


def filtered_watcher(gateway: Running, execution_id: str, query: str) -> Watcher:
    """Watch as *gateway* is watched, with the filter *query*, which it sends whenever it comes."""

    class FilteredWatcher(gateway.watcher):  # type: ignore[misc,name-defined]
        _last: int | None

        def take(self, text: str | bytes) -> None:
            message = orjson.loads(text)
            if message["type"] != "records":
                super().take(text)
                return
            assert self.close_code is None, "a message after the close"
            self.sizes.append(len(text))
            self._count(message["records"], message["omitted"], Cursor.parse(message["cursor"]))

        def _count(self, records: list[dict[str, Any]], omitted: int, cursor: Cursor) -> None:
            """Received and left out make up all between the last cursor and this one."""
            before = self._last or 0
            assert before + len(records) + omitted == cursor.number, (before, omitted, cursor)
            seqs = [before, *(record["seq"] for record in records)]
            assert seqs == sorted(set(seqs)), seqs
            assert seqs[-1] <= cursor.number
            self._last = cursor.number
            self.records += records
            self.memory.add(cursor)

        async def connect(self, query_: str) -> None:
            await super().connect("&".join(part for part in (query_, query) if part))

    return FilteredWatcher(gateway.sockets, execution_id)
