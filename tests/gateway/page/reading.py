"""Read the whole log as it stands on the screen, and note what a reader was told meanwhile."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import count, groupby
from typing import Literal, NamedTuple

from playwright.async_api import Page, WebSocket


@dataclass(frozen=True, slots=True)
class Standing:
    """What stood beside the dot: one of the four statuses, and the words."""

    status: str
    words: str


@dataclass(frozen=True, slots=True)
class Read:
    """The lines that were seen, and between which two of them something was twice or missing."""

    first: int
    last: int
    count: int
    wrong: list[str]


class Frame(NamedTuple):
    """By which socket of the page, counted from 1, something went or came, and when."""

    socket: int
    at: float


def frames(page: Page, event: Literal["framesent", "framereceived"], holding: str) -> list[Frame]:
    """Note from now on each frame that holds this text."""
    noted: list[Frame] = []
    numbers = count(1)

    def opened(socket: WebSocket) -> None:
        number = next(numbers)

        def passed(data: str | bytes) -> None:
            if holding in str(data):
                noted.append(Frame(number, time.time()))

        socket.on(event, passed)

    page.on("websocket", opened)
    return noted


async def take_notes(page: Page) -> None:
    """From the next page on, note each change of the dot, and look at each change of the lines."""
    await page.add_init_script(NOTES)


async def standings(page: Page) -> list[Standing]:
    """All that stood beside the dot, in order, as noted since the page was loaded."""
    return [Standing(*each) for each in await page.evaluate("notes.standings")]


async def statuses(page: Page) -> list[str]:
    """The same without words, and without a status that follows itself; from "connecting" on.

    The page connects before it is drawn, and may have done so by then.
    """
    shown = [status for status, _ in groupby(each.status for each in await standings(page))]
    return shown if shown[:1] == ["connecting"] else ["connecting", *shown]


async def wrong_lines(page: Page) -> list[str]:
    """What was wrong with the lines at any moment since the page was loaded."""
    return [str(each) for each in await page.evaluate("notes.wrong")]


async def read_all(page: Page) -> Read:
    """Turn the pages of the log from its first line to its last, as a reader does by keyboard.

    In a tall window, in which they are few.
    """
    await page.set_viewport_size({"width": 1200, "height": 2400})
    return Read(**await page.evaluate(READ_ALL))


async def place_of(page: Page) -> tuple[int, int]:
    """Where the reader is: the first line in sight, and how far (px) below the edge it stands."""
    seq, below = await page.evaluate(PLACE)
    return seq, below


# Lines that are drawn stand below one another without a hole and none twice, at any moment.
NOTES = """(() => {
  const notes = (globalThis.notes = {standings: [], wrong: []});
  const dotChanged = () => {
    const dot = document.querySelector("[data-status][data-phase]");
    if (!dot) return;
    const now = [dot.dataset.status, dot.querySelector(".runtail-words").textContent];
    if (String(notes.standings.at(-1)) !== String(now)) notes.standings.push(now);
  };
  const linesChanged = () => {
    const seqs = [...document.querySelectorAll(".rt-row[data-seq]")].map((row) => +row.dataset.seq);
    const sorted = seqs.toSorted((a, b) => a - b);
    const wrong = sorted.findIndex((seq, i) => i > 0 && seq !== sorted[i - 1] + 1);
    if (wrong > 0) notes.wrong.push(`${sorted[wrong - 1]} is followed by ${sorted[wrong]}`);
  };
  const changed = () => (dotChanged(), linesChanged());
  new MutationObserver(changed).observe(document, {
    subtree: true, childList: true, characterData: true,
    attributeFilter: ["data-status", "data-phase", "data-seq"],
  });
})()"""

# What stands wholly in sight with its text counts, not what is drawn beyond the edges.
READ_ALL = """async () => {
  const log = document.querySelector(".rt-scroller"), seen = new Set(), wrong = [];
  const press = (key) => log.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
  const turn = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const drawn = async () => { do await turn(); while (log.querySelector(".rt-placeholder")); };
  const inSight = () => {
    const {top, bottom} = log.getBoundingClientRect();
    const boxes = [...log.querySelectorAll(".rt-row[data-seq]")].map((row) =>
      ({seq: +row.dataset.seq, box: row.getBoundingClientRect()}));
    return boxes.filter(({box}) => box.top >= top - 1 && box.bottom <= bottom + 1)
      .sort((a, b) => a.box.top - b.box.top).map(({seq}) => seq);
  };
  press("Home");
  for (let before = ""; ; ) {
    await drawn();
    const now = inSight();
    now.forEach((seq, i) => {
      if (i > 0 && seq !== now[i - 1] + 1) wrong.push(`${now[i - 1]} is followed by ${seq}`);
    });
    now.forEach((seq) => seen.add(seq));
    if (now.join() === before) break;
    before = now.join();
    press("PageDown");
  }
  return {count: seen.size, first: Math.min(...seen), last: Math.max(...seen), wrong};
}"""

PLACE = """() => {
  const log = document.querySelector(".rt-scroller"), edge = log.getBoundingClientRect().top;
  return [...log.querySelectorAll(".rt-row[data-seq]")]
    .map((row) => [+row.dataset.seq, Math.round(row.getBoundingClientRect().top - edge)])
    .filter(([, below]) => below >= 0).sort(([, a], [, b]) => a - b)[0];
}"""
