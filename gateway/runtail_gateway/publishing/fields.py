"""Read the fields of a small JSON body, and name the one that makes no sense. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runtail_gateway.protocol.brief import brief
from runtail_gateway.protocol.problem import BadRequest


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a request; every reader raises BadRequest with the field's name and value."""

    given: Mapping[str, object]

    def text(self, name: str, default: str | None = None) -> str:
        """Read a text; without a *default* it must be there."""
        value = self.given.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise BadRequest(f"{name} is {brief(value)}, expected a text")
        return value

    def number(self, name: str, default: int) -> int:
        """Read a whole number that is not negative."""
        value = self.given.get(name, default)
        if type(value) is not int or value < 0:
            raise BadRequest(f"{name} is {brief(value)}, expected a whole number")
        return value

    def flag(self, name: str) -> bool:
        """Read true or false; false when it is not there."""
        value = self.given.get(name, False)
        if not isinstance(value, bool):
            raise BadRequest(f"{name} is {brief(value)}, expected true or false")
        return value
