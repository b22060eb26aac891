"""Draw plots as SVG that suits a light and a dark page. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

_STYLE = """<style>
text{font:13px system-ui,sans-serif;fill:#24292f}.dim{fill:#57606a}.ours{fill:#0969da}
.other{fill:#8c959f}.floor{fill:#1a7f37}line,path{stroke:#d0d7de;fill:none}
.curve{stroke:#0969da;stroke-width:2}.dot{fill:#0969da}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.dim{fill:#8d96a0}.ours{fill:#4493f8}
.other{fill:#6e7681}.floor{fill:#3fb950}line,path{stroke:#30363d}.curve{stroke:#4493f8}
.dot{fill:#4493f8}}</style>"""
_ROW, _LEFT, _WIDTH, _RIGHT = 26, 130, 430, 90


def bars(title: str, unit: str, values: Mapping[str, float], kinds: Mapping[str, str]) -> str:
    """Draw a bar for each value, on a logarithmic scale if they differ much."""
    top = max(values.values())
    least = min(value for value in values.values() if value > 0)
    logarithmic = top / least > 30
    height = 44 + _ROW * len(values)
    parts = [
        _head(_LEFT + _WIDTH + _RIGHT, height),
        f'<text x="0" y="16">{escape(title)}</text>',
        f'<text class="dim" x="0" y="34">{escape(unit)}'
        f"{', logarithmic scale' if logarithmic else ''}</text>",
    ]
    for row, (name, value) in enumerate(values.items()):
        y = 44 + row * _ROW
        share = value / top
        if logarithmic:
            share = (math.log(max(value, least) / least) + 0.3) / (math.log(top / least) + 0.3)
        width = max(2.0, share * _WIDTH)
        kind = kinds.get(name, "other")
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 15}" text-anchor="end">{escape(name)}</text>')
        parts.append(
            f'<rect class="{kind}" x="{_LEFT}" y="{y + 3}" width="{width:.1f}" height="16" rx="2"/>'
        )
        parts.append(f'<text x="{_LEFT + width + 6:.1f}" y="{y + 15}">{short(value)}</text>')
    return "\n".join([*parts, "</svg>\n"])


def curve(title: str, unit: str, points: Sequence[tuple[float, float]]) -> str:
    """Draw cost against size, the size on a logarithmic scale, the cost from zero."""
    width, height, left, bottom = 360, 200, 60, 40
    top = max(y for _, y in points) * 1.15
    low, high = math.log(points[0][0]), math.log(points[-1][0])
    places = [
        (
            left + (math.log(x) - low) / ((high - low) or 1) * (width - left - 30),
            height - bottom - y / top * (height - bottom - 50),
        )
        for x, y in points
    ]
    way = " L".join(f"{x:.1f},{y:.1f}" for x, y in places)
    floor = height - bottom
    parts = [
        _head(width, height),
        f'<text x="0" y="16">{escape(title)}</text>',
        f'<text class="dim" x="0" y="34">{escape(unit)}</text>',
        f'<line x1="{left}" y1="{floor}" x2="{width - 20}" y2="{floor}"/>',
        f'<path class="curve" d="M{way}"/>',
    ]
    for (x, y), (size, cost) in zip(places, points, strict=True):
        parts.append(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3"/>')
        parts.append(f'<text x="{x:.1f}" y="{y - 8:.1f}" text-anchor="middle">{short(cost)}</text>')
        parts.append(
            f'<text class="dim" x="{x:.1f}" y="{floor + 18}" text-anchor="middle">'
            f"{_size(size)}</text>"
        )
    return "\n".join([*parts, "</svg>\n"])


def short(value: float) -> str:
    """Write a figure with three digits that count."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value else "0"


def _size(value: float) -> str:
    for factor, unit in ((1e6, "M"), (1e3, "k")):
        if value >= factor:
            return f"{value / factor:g}{unit}"
    return f"{value:g}"


def _head(width: int, height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img">{_STYLE}'
    )
