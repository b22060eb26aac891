"""Stand in for `sys.stdout`: publish its lines, and pass them on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, TextIO

from runtail.capturing.inlet import is_echo
from runtail.programs.redraws import Redraws
from runtail.run import Execution


class CapturedStream:
    """The text stream *real*, whose lines are also given to *publish*.

    Everything but writing is *real*'s own (`isatty`, `fileno`, `encoding`, `buffer` …), and so are
    the errors that writing raises. Lines are kept apart by thread. Safe from any thread.
    """

    def __init__(
        self,
        real: TextIO,
        publish: Callable[[Execution, str], None],
        find: Callable[[], Execution | None],
        *,
        also: bool,
    ) -> None:
        self._real, self._publish, self._find, self._also = real, publish, find, also
        self._begun: dict[int, tuple[Execution, Redraws]] = {}  # by thread
        self._active = True
        self._here = threading.local()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def write(self, text: str) -> int:
        """Write *text*, and publish the lines that it completes."""
        if not self._is_captured():
            return self._real.write(text)
        self._here.busy = True
        try:
            run = self._find()
            written = self._real.write(text) if run is None or self._also else len(text)
            if run is not None:
                self._take(run, text)
        finally:
            self._here.busy = False
        return written

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each of *lines*."""
        for line in lines:
            self.write(line)

    def stop(self) -> None:
        """Publish what no newline has ended, and only pass on from now on."""
        self._active = False
        for ident in list(self._begun):
            self._end(*self._begun.pop(ident))

    def _is_captured(self) -> bool:
        busy = getattr(self._here, "busy", False)  # who is asked for the run may print
        return self._active and not busy and not is_echo()

    def _take(self, run: Execution, text: str) -> None:
        for line in self._redraws(run).feed(text, time.monotonic()):
            self._publish(run, line)

    def _redraws(self, run: Execution) -> Redraws:
        ident = threading.get_ident()
        begun = self._begun.get(ident)
        if begun is not None and begun[0] is run:
            return begun[1]
        if begun is not None:  # what was printed for one execution is not shown in another one
            self._end(*begun)
        self._begun[ident] = run, Redraws()
        return self._begun[ident][1]

    def _end(self, run: Execution, redraws: Redraws) -> None:
        for line in redraws.close():
            self._publish(run, line)
