"""Every bound is checked, and documented where operators look."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any, cast

import pytest

from runtail_gateway.settings import GatewaySettings

README = Path(__file__).parents[2] / "gateway" / "README.md"
NAMES = [field.name for field in fields(GatewaySettings)]
BOUNDS = [field.name for field in fields(GatewaySettings) if str(field.type) in ("int", "float")]


@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.parametrize("value", [0, -1])
def test_a_bound_that_is_not_positive_is_refused_with_its_name(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"^{name} is {value}, expected more than 0$"):
        replace(GatewaySettings(), **cast(Any, {name: value}))


def test_a_probe_timeout_that_no_probe_can_meet_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^probe_timeout_seconds is 0.2, expected at least 0.3$"):
        GatewaySettings(probe_timeout_seconds=0.2)
    assert GatewaySettings(probe_timeout_seconds=0.3)


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_documents_each_setting_with_its_default(name: str) -> None:
    settings = README.read_text().split("\n## Settings\n")[1]
    rows = [row for row in settings.splitlines() if row.startswith(f"| `{name}` |")]
    assert len(rows) == 1
    assert rows[0].split("|")[2].strip() == shown(getattr(GatewaySettings(), name))


def shown(default: object) -> str:
    match default:
        case None:
            return "none"
        case bool():
            return "yes" if default else "no"
        case int() | float():
            return f"{default:,}".removesuffix(".0")
        case tuple():
            return ", ".join(default) or "none"
    return str(default) or "none"
