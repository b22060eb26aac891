"""Defects that the suite must catch: of scripts, publisher, tail, proofs, viewer loop, client."""

from __future__ import annotations

from tests.planting import Defect

_BUFFER, _JOURNAL = "runtail.delivery.buffer:Buffer", "runtail.delivery.journal:Journal"
_PUBLISHER, _CLIENT = "runtail.publisher:Publisher", "runtail.watching.viewer:Viewer"
_TAIL, _PROOF = "runtail_broker.tail:Tail", "runtail_broker.proof"
_SHARED, _VIEWER = (
    "runtail_gateway.viewers.shared_tail:SharedTail",
    "runtail_gateway.viewers.viewer:Viewer",
)

DEFECTS = (
    # scripts
    Defect("batches in any order", "lua", "if number > publisher.last + 1 then", "if false then"),
    Defect(
        "duplicates are stored",
        "lua",
        "if number <= publisher.last then",
        "if false then",
        seeds=(5,),
    ),
    Defect(
        "ids by the clock alone",
        "lua",
        "if now > state.ms then ms, n = now, count - 1 end",
        "ms, n = now, count - 1",
    ),
    Defect(
        "the end waits for nobody",
        "lua",
        "if state.open > 0 then",
        "if false then",
        seeds=(116, 22, 39),
    ),
    Defect(
        "totals without the end",
        "lua",
        "',\"records\":' .. text_of(state.seq + 1)",
        "',\"records\":' .. text_of(state.seq)",
    ),
    Defect(
        "logs are counted elsewhere",
        "lua",
        "state.info = state.info +",
        "state.debug = state.debug +",
    ),
    # publisher
    Defect(
        "one answer acknowledges all",
        f"{_JOURNAL}._stored",
        "self._outgoing and self._outgoing[0].batch.number <= number",
        "self._outgoing",
        seeds=(2,),
    ),
    Defect(
        "losses are not told",
        f"{_JOURNAL}.seal",
        "lost, marks = lost + count, marks + 1",
        "continue",
        seeds=(9, 13, 18),
    ),
    Defect("what is stored is not counted", f"{_BUFFER}.settle", "+= sealed.records", "+= 0"),
    Defect(
        "flush does not wait",
        f"{_PUBLISHER}._flushed",
        "waiting.done() and waiting.result()",
        "True",
    ),
    Defect(
        "a full buffer raises", f"{_BUFFER}._add", "self._evict()", "raise MemoryError", seeds=(9,)
    ),
    # tail and proofs
    Defect(
        "continuity by any later seq",
        f"{_TAIL}.feed",
        "entry.before == self.cursor.tag and entry.seq == self.cursor.number + 1",
        "entry.seq > self.cursor.number",
        seeds=(9, 5, 67),
    ),
    Defect(
        "doubts are forgotten",
        f"{_SHARED}.doubt",
        "self._refreshing is None",
        "self._refreshing is None and self._tail.cursor is None",
    ),
    Defect(
        "a trimmed start is no gap",
        f"{_PROOF}:_from_start",
        "entries and entries[0].seq > 1",
        "False",
        seeds=(2,),
    ),
    Defect(
        "a gap counts one more",
        f"{_PROOF}:_from_start",
        "entries[0].seq - 1, proved",
        "entries[0].seq, proved",
        seeds=(2,),
    ),
    Defect(
        "every cursor is at its end",
        "runtail_broker.stream:prove",
        'return Diverged("another history")',
        "return Continues(cursor, entries)",
    ),
    # viewer loop
    Defect(
        "a delivery moves nobody",
        f"{_VIEWER}.deliver",
        "self.cursor = message.cursor",
        "pass",
    ),
    Defect("notices are not sent", f"{_VIEWER}._take", "await self._outlet.send(notice)", "pass"),
    Defect(
        "no write mark",
        "runtail_gateway.viewers.push:Push.write",
        "self._paused or ",
        "",
        seeds=(1,),
    ),
    Defect(
        "a place is not kept",
        f"{_VIEWER}._take",
        "self._stand_at(page.message.cursor)",
        "self._memory.add(page.message.cursor)",
    ),
    # client
    Defect("a reset is only shown", f"{_CLIENT}._reset", "self._next = cursor.number + 1", "pass"),
    Defect("no place is remembered", f"{_CLIENT}._arrived", "self._memory.add(cursor)", "pass"),
    Defect(
        "gaps are not shown",
        f"{_CLIENT}._gap",
        "yield self._missing(",
        "self._missing(",
        seeds=(9, 40, 54),
    ),
    Defect(
        "the oldest cursor first",
        f"{_CLIENT}.query",
        "in self.cursors()",
        "in self.cursors()[::-1]",
    ),
)
