"""Guards of the design that the model of tail and resume can do without only at a price.

Each is a defect: the guard taken out of the project's own pure parts, or of how they are used.
"""

from __future__ import annotations

from tests.planting import Defect

_TAIL, _PROOF = "runtail_broker.tail:Tail", "runtail_broker.proof"
_MEMORY, _WORLD = "runtail_broker.cursor:CursorMemory", "tests.broker.tail_world"

GUARDS = (
    Defect(
        "a tag is chained to the one before",
        f"{_WORLD}:chain",
        "before * TAG_FACTOR + random",
        "random",
    ),
    Defect(
        "live continues by tag",
        f"{_TAIL}.feed",
        "entry.before == self.cursor.tag and ",
        "",
        seeds=(437,),
    ),
    Defect(
        "live continues at all",
        f"{_TAIL}.feed",
        "entry.before == self.cursor.tag and entry.seq == self.cursor.number + 1",
        "entry.seq > self.cursor.number",
    ),
    Defect(
        "a page continues by tag",
        f"{_WORLD}:prove",
        "first.before == cursor.tag and first",
        "first",
    ),
    Defect(
        "a page that proves nothing is of another history",
        f"{_WORLD}:prove",
        'return Diverged("another history")',
        "return Continues(cursor, entries)",
    ),
    Defect(
        "an empty page is proved too", f"{_PROOF}:_at_the_end", "if cursor == last:", "if True:"
    ),
    Defect(
        "what is trimmed begins where the state says",
        f"{_WORLD}:prove",
        "first.seq == bounds.first_seq and first.seq > cursor.number + 1",
        "first.seq > cursor.number + 1",
    ),
    Defect(
        "a trimmed start is told",
        f"{_PROOF}:_from_start",
        "entries and entries[0].seq > 1",
        "False",
    ),
    Defect(
        "an older cursor counts only if it is proved",
        f"{_WORLD}:worth_a_reset",
        "return isinstance(verdict, Continues) or",
        "return True or",
    ),
    Defect(
        "the ring is proved by tag",
        f"{_TAIL}.after",
        "first.before == cursor.tag and first.seq",
        "first.seq",
    ),
    Defect(
        "a rewind drops what lies beyond",
        f"{_TAIL}.rewind",
        "while self._held and self._held[-1].entry.last_seq > cursor.number:\n"
        "        self._bytes -= len(self._held.pop().text)\n"
        "    if self._held and self._held[-1].entry.end != cursor:",
        "if False:",
    ),
    Defect(
        "no cursor beyond a reset is remembered",
        f"{_MEMORY}.rewind",
        "[c for c in self._cursors if c.number < cursor.number] + [cursor]",
        "[*self._cursors, cursor]",
    ),
    Defect(
        "a viewer takes over from the tail only what it passed",
        f"{_WORLD}:Viewer.leave_head",
        "self.memory.extend(tail.cursors_since(self.joined_seq))",
        "self.memory._cursors = tail.cursors()[::-1]",
        seeds=(1110,),
    ),
    Defect(
        "the head is entered at the tail's cursor only",
        f"{_WORLD}:Viewer.pull",
        "if self.cursor == owner.tail.cursor:",
        "if owner.tail.cursor is not None:",
    ),
    Defect(
        "the tail is proved until nothing follows",
        f"{_WORLD}:Owner.finish_read",
        "self.doubted = bool(entries)",
        "self.doubted = False",
    ),
    Defect(
        "what does not continue the tail is doubted",
        f"{_WORLD}:Owner._feed",
        "self.doubted = True",
        "pass",
    ),
)

ARCHIVE_GUARDS = (
    Defect(
        "sealed only if it is what was seen",
        "lua",
        "if ARGV[2] ~= standing(state) or tonumber(ARGV[3]) ~= state.tag then",
        "if false then",
    ),
    Defect(
        "released only if it is what was sealed",
        "lua",
        "if ARGV[2] ~= standing(state) or tonumber(ARGV[3]) ~= state.tag or ARGV[4] ~= archive\n"
        "  or tonumber(archived) ~= state.seq then",
        "if false then",
    ),
)
