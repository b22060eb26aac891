"""Every bound of a publisher is refused when it cannot be one, and documented."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from runtail.settings import DEFAULTS, PublisherSettings
from runtail_broker.script import Limits

ROOT = Path(__file__).parents[2]
NAMES = [field.name for field in fields(PublisherSettings)]


@pytest.mark.parametrize("name", NAMES)
def test_a_bound_that_is_not_positive_is_refused_by_its_name(name: str) -> None:
    wrong: dict[str, Any] = {name: 0}
    with pytest.raises(ValueError, match=f"{name} is 0, expected"):
        PublisherSettings(**wrong)


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_is_in_the_guide_with_its_default(name: str) -> None:
    guide = (ROOT / "producers" / "README.md").read_text()
    table = guide.split("## Settings")[1].splitlines()
    (row,) = [line for line in table if line.startswith("|") and f"`{name}`" in line]
    value = getattr(DEFAULTS, name)
    shown = f"{value:,}".removesuffix(".0") if isinstance(value, int | float) else f"`{value}`"
    assert shown in row


@pytest.mark.parametrize("name", [field.name for field in fields(Limits)])
def test_every_limit_of_the_engine_is_documented_with_its_default(name: str) -> None:
    told = (ROOT / "broker" / "README.md").read_text()
    (row,) = [line for line in told.splitlines() if line.startswith(f"| `{name}` |")]
    value = getattr(Limits(), name)
    assert f"{value:,}" in row or f"{value // 2**30} GiB" in row
