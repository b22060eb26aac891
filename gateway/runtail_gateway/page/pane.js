// One watched execution on the page: its state, its connection and its log.

import { LogStore } from "./logstore.js";
import { LogView } from "./logview.js";
import { connectionWords, dotOf, duration, elapsed, isFinal, lines, number } from "./wording.js";
import { Viewer } from "./viewer.js";

const LEVELS = ["debug", "info", "warning", "error"];
const KNOWN_STATUS = new Set(["pending", "running", "completed", "failed", "cancelled", "lost"]);

/** Put *status* into an element made of an icon and a word. */
export function showStatus(element, status) {
  const known = KNOWN_STATUS.has(status) ? status : "pending";
  if (element.dataset.status === status) return;
  element.dataset.status = status;
  element.className = `status is-${known}`;
  element.querySelector("use").setAttribute("href", `#icon-${known}`);
  const word = element.querySelector(".word");
  if (word) word.textContent = status;
}

/** Put *text* on the clipboard; also where the page is not served over TLS. */
export async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.body.appendChild(document.createElement("textarea"));
  area.value = text;
  area.select();
  document.execCommand("copy");
  area.remove();
}

/** Show for a moment on *button* what it did. */
export function flash(button, words) {
  const label = button.querySelector("span");
  label.dataset.words ??= label.textContent;
  label.textContent = words;
  setTimeout(() => (label.textContent = label.dataset.words), 1_500);
}

/** Watch the execution *id*; `now` is the gateway's clock, `onClose` hears of the close button. */
export class Pane {
  #store = new LogStore();
  #levels = new Set();
  #now;
  #stale = false;

  constructor(id, address, { now, onClose, onEnd }) {
    this.id = id;
    this.#now = now;
    this.onEnd = onEnd;
    this.element = document.getElementById("pane").content.firstElementChild.cloneNode(true);
    this.element.dataset.execution = id;
    this.element.setAttribute("aria-label", `Execution ${id}`);
    this.find(".name").textContent = id;
    this.find(".name").title = id;
    this.find(".log").setAttribute("aria-label", `Log of ${id}`);
    this.find(".close").setAttribute("aria-label", `Close ${id}`);
    this.#makeLevels();
    this.view = new LogView(this.find(".log"), this.#store, () => this.#showLog());
    this.viewer = new Viewer(address, (event) => this.#hear(event));
    this.find(".close").addEventListener("click", onClose);
    this.find(".retry").addEventListener("click", () => this.viewer.open());
    this.find(".pill").addEventListener("click", () => this.view.follow());
    this.find(".following").addEventListener("click", () => this.#toggleFollow());
    this.find(".copy").addEventListener("click", (event) => this.#copy(event.currentTarget));
    this.find(".clear").addEventListener("click", () => this.#setLevels(new Set()));
    this.viewer.open();
  }

  find(selector) {
    return this.element.querySelector(selector);
  }

  close() {
    this.viewer.close();
    this.view.close();
    this.element.remove();
  }

  /** Show what changes without being told: clocks and words. */
  tick() {
    const { viewer } = this;
    const { execution } = viewer;
    const status = execution?.status ?? "pending";
    showStatus(this.find(".status"), status);
    const ran = elapsed(execution, this.#now());
    this.#say(".elapsed", ran === null ? "" : duration(ran, { tenths: isFinal(status) }));
    this.#say(".workflow", execution?.workflow_id ?? "");
    this.#say(".words", connectionWords(viewer, Date.now()));
    this.find(".link").dataset.dot = dotOf(viewer);
    this.find(".retry").hidden = viewer.phase !== "retrying" && viewer.phase !== "refused";
    this.#showReason(execution);
    this.#showProgress(status, execution?.progress ?? null);
  }

  #hear(event) {
    switch (event.type) {
      case "records":
        this.#store.addRecords(event.records, event.chars);
        break;
      case "reset":
        this.#store.truncate(event.seq);
        this.view.withdrawn();
        this.#store.addMarker({ ...event, marker: "reset" });
        break;
      case "gap":
      case "violation":
        this.#store.addMarker({ ...event, marker: event.type });
        break;
      default:
        this.#changed();
        return;
    }
    this.view.changed();
  }

  // Words and clocks once a frame too: a burst brings hundreds of messages.
  #changed() {
    if (this.viewer?.phase === "done" && !this.ended) {
      this.ended = true;
      this.onEnd(this);
    }
    if (this.#stale) return;
    this.#stale = true;
    queueMicrotask(() => requestAnimationFrame(() => ((this.#stale = false), this.tick())));
  }

  #say(selector, words) {
    const element = this.find(selector);
    if (element.textContent !== words) element.textContent = words;
  }

  #showReason(execution) {
    const reason = execution?.reason ?? "";
    this.#say(".reason", reason);
    this.find(".reason").hidden = !reason;
  }

  #showProgress(status, progress) {
    const bar = this.find(".progress");
    bar.dataset.status = status;
    const value = status === "completed" ? 100 : progress;
    bar.classList.toggle("unknown", status === "running" && value === null);
    bar.classList.toggle("none", status !== "running" && value === null);
    bar.querySelector("i").style.transform = `scaleX(${(value ?? 0) / 100})`;
    if (value === null) bar.removeAttribute("aria-valuenow");
    else bar.setAttribute("aria-valuenow", String(value));
    this.#say(".percent", value === null || status === "completed" ? "" : `${Math.floor(value)} %`);
  }

  #showLog() {
    const { view } = this;
    const store = this.#store;
    const follow = this.find(".following");
    follow.setAttribute("aria-pressed", String(view.following));
    const pill = this.find(".pill");
    pill.hidden = view.following;
    this.#say(".pill span", view.newItems ? `Follow · ${number(view.newItems)} new` : "Follow");
    for (const button of this.element.querySelectorAll(".levels button")) {
      button.querySelector("b").textContent = number(store.counts[button.dataset.level]);
    }
    this.#showCounts(store);
    this.#say(".blank", store.length ? "" : this.#whyBlank(store));
  }

  #showCounts(store) {
    const parts = [];
    if (store.filtered) {
      const filter = LEVELS.filter((level) => this.#levels.has(level)).join(", ");
      parts.push(`${number(store.shownRecords)} of ${number(store.records)} shown, filter: ${filter}`);
    }
    if (store.droppedRecords) {
      parts.push(`the first ${lines(store.droppedRecords)} have left this view, the log keeps them`);
    }
    this.#say(".shown span", parts.join(" · "));
    this.find(".shown").hidden = parts.length === 0;
    this.find(".clear").hidden = !store.filtered;
  }

  #whyBlank(store) {
    if (store.filtered && store.records) return "No line has the chosen levels.";
    if (this.viewer?.phase === "refused") return "Nothing to show.";
    return "No lines yet. They appear here as the worker sends them.";
  }

  #makeLevels() {
    for (const level of LEVELS) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = `button small level-${level}`;
      button.dataset.level = level;
      button.setAttribute("aria-pressed", "false");
      button.append(level, " ", document.createElement("b"));
      button.addEventListener("click", () => this.#setLevels(this.#toggled(level)));
      this.find(".levels").append(button);
    }
  }

  #toggled(level) {
    const levels = new Set(this.#levels);
    if (!levels.delete(level)) levels.add(level);
    return levels;
  }

  #setLevels(levels) {
    this.#levels = levels;
    for (const button of this.element.querySelectorAll(".levels button")) {
      button.setAttribute("aria-pressed", String(levels.has(button.dataset.level)));
    }
    this.view.setLevels(levels);
  }

  #toggleFollow() {
    if (this.view.following) this.view.leaveFollow();
    else this.view.follow();
  }

  async #copy(button) {
    await copyText(this.view.text());
    flash(button, `Copied ${lines(this.#store.shownRecords)}`);
  }
}
