"""Write the report: what is claimed, a table for each workload, plots, and what was left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from tests.bench.acknowledged import WAYS
from tests.bench.catalogue import PARTS, WORKLOADS, Workload
from tests.bench.claims import CLAIMS, against_peers
from tests.bench.contender import FLOOR, FLOOR50, NAMES, OURS, contender
from tests.bench.curves import CURVES
from tests.bench.plots import bars, curve, short
from tests.bench.results import Results

PROFILES = Path(__file__).parent / "profiles"
_NOISE = 20  # % of a core
_KINDS = {OURS: "ours", FLOOR: "floor", FLOOR50: "floor"}
_SIZES = {
    "stored": "bytes stored",
    "json": "bytes sent",
    "frames": "bytes sent as `runtail.frames.v1`",
}
_ACKNOWLEDGED = {
    "speed": "records/s",
    "caller": "caller's thread, µs of CPU",
    "process": "publisher, µs of CPU",
    "all": "with the store, µs of CPU",
    "memory": "bytes of memory a record",
    "file": "bytes of file a record",
}


def write_report(results: Results, folder: Path) -> None:
    """Write README.md and the plots into *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    text = "\n".join(_lines(results, folder))
    (folder / "README.md").write_text(text + "\n")


def _lines(results: Results, folder: Path) -> Iterator[str]:
    yield from _heading(results)
    yield from _claims(results)
    for workload in WORKLOADS.values():
        if any(key == workload.key for key, _ in results.runs):
            yield from _workload(results, workload, folder)
        if workload.key == "W4.20":
            yield from _acknowledged(results)
    yield from _sizes(results)
    yield from _curves(results, folder)
    yield from _reading(results)
    yield from _left_out(results)


def _heading(results: Results) -> Iterator[str]:
    about = results.about
    packages = ", ".join(f"{name} {number}" for name, number in about["packages"].items())
    yield "# Benchmark\n"
    yield (
        f"Made {about['made']} on {about['cores']} cores ({about['processor']}, "
        f"{about['system']}), load before: {about['load']}; Python {about['python']}, "
        f"{about['engine']}, {packages}. [How it is made, and how to read it](../README.md).\n"
    )
    yield (
        "Figures are medians; in brackets the least and the most of the repetitions. Ratios are "
        "medians of the ratios of each repetition, whose contenders ran one after the other.\n"
    )
    yield from _quiet(results)
    yield "| contender | what it is | versions |\n| --- | --- | --- |"
    for name in NAMES:
        yield f"| {name} | {contender(name).about} | {about.get('versions', {}).get(name, '–')} |"
    yield ""


def _quiet(results: Results) -> Iterator[str]:
    """Say how much of the machine others had meanwhile."""
    others = [run["others"] for runs in results.runs.values() for run in runs if "others" in run]
    if not others:
        yield "How busy others kept the machine meanwhile was not recorded.\n"
    else:
        noisy = sum(value > _NOISE for value in others)
        yield (
            f"Others on the machine had {short(median(others))} % of a core in the median, at the "
            f"most {short(max(others))} %, and more than {_NOISE} % in {noisy} of {len(others)} "
            "measurements.\n"
        )


def _claims(results: Results) -> Iterator[str]:
    yield "## What is expected of it\n"
    yield "| workload | ratio or figure | median | expected | met |"
    yield "| --- | --- | ---: | --- | --- |"
    for claim in CLAIMS:
        if verdict := claim.verdict(results):
            sign = "at least" if claim.at_least else "at most"
            value, met = verdict
            yield (
                f"| {claim.workload} | {claim.text} | {short(value)} | {sign} {claim.bound:g} | "
                f"{_word(met)}{'' if met else _profile(claim.workload)} |"
            )
    yield ""
    yield from _beside_peers(results)


def _beside_peers(results: Results) -> Iterator[str]:
    lossy = {}
    yield "| workload | against the best peer | peer | its | runtail's | expected | met |"
    yield "| --- | --- | --- | ---: | ---: | --- | --- |"
    for one in against_peers(results):
        what = (_units(one.workload) | _SIZES)[one.quantity]
        wish = "ahead" if one.allowed == 1 else f"at most {one.allowed:g} × worse"
        figures = f"{one.best} | {short(one.theirs)} | {short(one.ours)}"
        yield f"| {one.workload} | {what} | {figures} | {wish} | {_word(one.met)} |"
        if one.lossy:
            lossy[one.workload] = ", ".join(one.lossy)
    yield ""
    for workload, who in lossy.items():
        yield f"In {workload} no comparison is made with who lost records or viewers: {who}.\n"


def _units(workload: str) -> dict[str, str]:
    return WORKLOADS[workload].units if workload in WORKLOADS else _ACKNOWLEDGED


def _profile(workload: str) -> str:
    """Lead to what explains a figure that is not as expected."""
    text = f"{workload}.txt" if (PROFILES / f"{workload}.txt").exists() else "README.md"
    return f" ([profile](../profiles/{text}))"


def _word(met: bool) -> str:
    return "yes" if met else "**no**"


def _workload(results: Results, workload: Workload, folder: Path) -> Iterator[str]:
    names = [name for name in NAMES if results.values(workload.key, name, workload.lead)]
    yield f"## {workload.key}: {workload.title}\n"
    yield f"{workload.how}\n"
    file = f"{workload.key.lower().replace('.', '-')}.svg"
    values = {name: results.median(workload.key, name, workload.lead) or 0.0 for name in names}
    unit = workload.units[workload.lead]
    (folder / file).write_text(bars(workload.title, unit, values, _KINDS))
    yield f"![{workload.title}: {unit}]({file})\n"
    yield from _table(results, workload.key, names, workload.units)
    yield from _parts(results, workload.key, names)
    shares = [name for name in names if contender(name).share < 1 and workload.key == "W1"]
    for name in shares:
        yield f"{name} was given {contender(name).share:.0%} of the burst.\n"
    yield from _against(results, workload, names)
    yield from _remarks(workload.key, names)


def _parts(results: Results, key: str, names: Sequence[str]) -> Iterator[str]:
    """Say whether the harness or the machine was the bottleneck."""
    if any(results.values(key, name, "generator") for name in names):
        yield "What the other parts used, and how far the publisher fell behind its pace:\n"
        yield from _table(results, key, names, PARTS)


def _remarks(key: str, names: Sequence[str]) -> Iterator[str]:
    for name in names:
        if name in NAMES and key in contender(name).remarks:
            yield f"{name}: {contender(name).remarks[key]}.\n"


def _table(
    results: Results, key: str, names: Sequence[str], units: dict[str, str]
) -> Iterator[str]:
    used = {q: u for q, u in units.items() if any(results.values(key, n, q) for n in names)}
    yield "| | " + " | ".join(used.values()) + " |"
    yield "| --- |" + " ---: |" * len(used)
    for name in names:
        cells = [_cell(results.values(key, name, quantity)) for quantity in used]
        yield f"| {WAYS.get(name, name)} | " + " | ".join(cells) + " |"
    yield ""


def _cell(values: Sequence[float]) -> str:
    if not values:
        return "–"
    middle, low, high = short(median(values)), short(min(values)), short(max(values))
    return middle if low == high else f"{middle} ({low} … {high})"


def _against(results: Results, workload: Workload, names: Sequence[str]) -> Iterator[str]:
    """Say how many times each other's figure ours is."""
    told = []
    for name in names:
        ratios = results.ratios(workload.key, OURS, name, workload.lead)
        if name != OURS and ratios:
            spread = f"{short(min(ratios))} … {short(max(ratios))}"
            told.append(f"{short(median(ratios))} × {name} ({spread})")
    if told:
        yield f"runtail, {workload.units[workload.lead]}: {'; '.join(told)}.\n"


def _acknowledged(results: Results) -> Iterator[str]:
    names = list(results.contenders("W5"))
    if names:
        yield "## W5: Acknowledged publish\n"
        yield (
            "60,000 records from one process until all are acknowledged (a quarter of that for the "
            "peers, by their own clients); the store's memory and append-only file before and "
            "after.\n"
        )
        yield from _table(results, "W5", names, _ACKNOWLEDGED)
        yield from _remarks("W5", names)


def _sizes(results: Results) -> Iterator[str]:
    names = [name for name in NAMES if results.values("W8", name, "stored")]
    if names:
        yield "## W8: Size of a record\n"
        yield (
            "The record of 340 bytes, 5,000 of them published in batches of 100: the memory of all "
            "keys (the stream's files for nats), and what comes over a viewer's socket, headers of "
            "messages left out for runtail.\n"
        )
        yield from _table(results, "W8", names, _SIZES)


def _curves(results: Results, folder: Path) -> Iterator[str]:
    names = [name for name in CURVES if results.runs.get(("W9", name))]
    if names:
        yield "## W9: Cost against size\n"
    for name in names:
        sizes = results.runs["W9", name][0]
        points = [(float(size), results.median("W9", name, size) or 0.0) for size in sizes]
        how = (CURVES[name].__doc__ or "").split("\n\n")
        file = f"w9-{name}.svg"
        (folder / file).write_text(curve(f"by {name}", how[0].partition(":")[0], points))
        yield f"{' '.join(' '.join(how).split())}\n"
        yield f"![{name}]({file})\n"


def _reading(results: Results) -> Iterator[str]:
    names = list(results.contenders("W10"))
    if names:
        yield "## W10: The reader's side\n"
        yield "50,000 records of a history, from the reader's start on.\n"
        yield from _table(
            results, "W10", names, {"speed": "records/s", "cpu": "µs of CPU a record"}
        )


def _left_out(results: Results) -> Iterator[str]:
    yield "## What was left out\n"
    for name in NAMES:
        if name in results.about["left out"]:
            yield f"- {name}: {results.about['left out'][name]}"
        for workload, why in contender(name).leaves_out.items():
            yield f"- {name} in {workload}: {why}"
    for (workload, who), why in results.failures.items():
        yield f"- {who} in {workload} failed: {why}"
