"""Make tqdm bars into progress. Imports tqdm, which the SDK does not depend on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from tqdm import tqdm

if TYPE_CHECKING:
    _Tqdm = tqdm[Any]
else:
    _Tqdm = tqdm  # tqdm is generic in its stubs only


class Report(Protocol):
    """Report progress, as `Execution.progress` does."""

    def __call__(self, done: float | None, total: float | None, /, **fields: object) -> None: ...


def bar_class(report: Report) -> type[tqdm[Any]]:
    """Make a subclass of tqdm that reports what it shows; a bar that is disabled reports nothing.

    For libraries that take a class of bars; the bar is shown as ever.
    """

    class Bar(_Tqdm):
        def display(self, *args: Any, **kwargs: Any) -> Any:
            self._tell()
            return super().display(*args, **kwargs)

        def close(self) -> None:
            if not self.disable:
                self._tell()
            super().close()

        def _tell(self) -> None:
            fields = {"name": self.desc, "unit": self.unit}
            report(self.n, self.total, **{k: v for k, v in fields.items() if v and v != "it"})

    return Bar
