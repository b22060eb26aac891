"""Mask the registered secrets in what comes in pieces, wherever it is split."""

from __future__ import annotations

import codecs
import re

from runtail.masks.masking import Secrets, mask_text, secrets_now
from runtail.masks.secret_forms import may_go_on


class StreamMasker:
    """Mask the registered secrets in a text that comes in pieces, wherever it is split.

    Gives, over all pieces, exactly what `mask_text` gives for the whole, and holds back only what
    could still be the beginning of a secret. For one thread.
    """

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> str:
        """Take the next piece; return what can be shown by now."""
        registered, text = secrets_now(), self._held + text
        shown, at = [], 0
        found = _first(registered, text, at)
        hold = _first_open(registered, text, at)
        while found and found.start() < hold:
            shown += [text[at : found.start()], registered.stars(found)]
            at = found.end()
            if at > hold:
                hold = _first_open(registered, text, at)
            found = _first(registered, text, at)
        self._held = text[hold:]
        return "".join([*shown, text[at:hold]])

    def flush(self) -> str:
        """Return what was held back: the text ends here, or waits too long for its rest."""
        held, self._held = self._held, ""
        return mask_text(held)


class BytesMasker:
    """Do what `StreamMasker` does for bytes; those that are no UTF-8 pass as they are."""

    __slots__ = ("_begun", "_decoder", "_text")

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._text = StreamMasker()
        self._begun = False

    def feed(self, data: bytes) -> bytes:
        """Take the next piece; return what can be shown by now."""
        if not secrets_now().names and not self._begun:
            return data
        self._begun = True
        return _encoded(self._text.feed(self._decoder.decode(data)))

    def flush(self) -> bytes:
        """Return what was held back."""
        rest = self._decoder.decode(b"", final=True)
        return _encoded(self._text.feed(rest) + self._text.flush())


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _first(registered: Secrets, text: str, at: int) -> re.Match[str] | None:
    pattern = registered.pattern_in(text)
    return None if pattern is None else pattern.search(text, at)


def _first_open(registered: Secrets, text: str, at: int) -> int:
    """Find where, after *at*, a secret may begin of which the rest is still to come."""
    for start in range(max(at, len(text) - registered.longest + 1), len(text)):
        tail = text[start:]
        if any(may_go_on(form, tail) for form in registered.forms):
            return start
    return len(text)
