// The page: the list of executions, the panes that watch some of them, and the start button.

import { Pane, copyText, flash, showStatus } from "./pane.js";
import { elapsed, duration, isFinal, lines } from "./wording.js";

const OPENING_MS = 500;
const POLL_MS = 4_000;
const MAX_PANES = 8;
const MAX_LISTED = 200;
const NOTICE_MS = 8_000;

// The gateway may be mounted under a prefix: everything before `/monitoring` is its base.
const base = location.pathname.replace(/\/monitoring\/?$/, "");
const panes = new Map(); // execution id → Pane
let isNew = true; // until the first list has come
let clockAhead = 0; // the gateway's clock minus ours, in ms
const now = () => Date.now() + clockAhead;
const one = (selector) => document.querySelector(selector);

/** The WebSocket address of the log of *id*. */
function logsAddress(id) {
  const address = new URL(`${base}/ws/executions/${encodeURIComponent(id)}/logs`, location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  return address.href;
}

function notice(words) {
  const note = document.createElement("p");
  note.textContent = words;
  one(".notices").append(note);
  setTimeout(() => note.remove(), NOTICE_MS);
}

/** Open a pane for *id* unless there is one. */
function watch(id) {
  if (!panes.has(id) && panes.size >= MAX_PANES) {
    notice(`${MAX_PANES} executions are open, which is the most. Close one first.`);
    return;
  }
  if (!panes.has(id)) {
    const pane = new Pane(id, logsAddress(id), { now, onClose: () => unwatch(id), onEnd: refreshState });
    panes.set(id, pane);
    one(".panes").append(pane.element);
    pane.tick();
    showPanes();
  }
}

/** Watch *id* because somebody chose it: take them there. */
function goTo(id) {
  watch(id);
  const element = panes.get(id)?.element;
  element?.scrollIntoView({ block: "nearest" });
  element?.querySelector(".log").focus({ preventScroll: true });
}

function unwatch(id) {
  panes.get(id).close();
  panes.delete(id);
  showPanes();
}

// The address names what is open, so that a reload and a sent link show the same.
function showPanes() {
  const query = new URLSearchParams([...panes.keys()].map((id) => ["execution", id]));
  history.replaceState(null, "", panes.size ? `?${query}` : location.pathname);
  one(".empty").hidden = panes.size > 0;
  one(".panes").dataset.count = String(panes.size);
  document.title = panes.size === 1 ? `${[...panes.keys()][0]} · runtail` : "runtail";
  for (const item of document.querySelectorAll(".list li")) markWatched(item);
}

function newExecutionId() {
  const [day, time] = new Date(now()).toISOString().replace(/[-:]/g, "").split(/[T.]/);
  const letters = "abcdefghijkmnpqrstuvwxyz23456789";
  const random = crypto.getRandomValues(new Uint8Array(4));
  return `demo-${day}-${time}-${[...random].map((n) => letters[n % letters.length]).join("")}`;
}

async function start(button) {
  button.disabled = true;
  try {
    const id = newExecutionId();
    const answer = await fetch(`${base}/executions/${id}/start-streaming`, { method: "POST" });
    if (answer.status === 409) notice(`${id} is finished already. Press the button again for a new one.`);
    else if (!answer.ok) notice(`The gateway did not start it: ${answer.status} ${await reasonOf(answer)}`);
    else goTo((await answer.json()).execution_id ?? id);
    setTimeout(refreshList, OPENING_MS); // its worker opens it a moment after the answer
  } catch (error) {
    notice(`The gateway could not be reached: ${error.message}`);
  } finally {
    button.disabled = false;
  }
}

async function reasonOf(answer) {
  const text = await answer.text();
  try {
    const told = JSON.parse(text);
    return told.message ?? told.detail ?? told.error?.message ?? told.error ?? text;
  } catch {
    return text.slice(0, 200) || answer.statusText;
  }
}

/** Ask for the final state of *pane*'s execution: its exact end, for the duration. */
async function refreshState(pane) {
  refreshList();
  const answer = await fetch(`${base}/executions/${encodeURIComponent(pane.id)}`).catch(() => null);
  if (!answer?.ok) return; // the end itself told the status; only the exact time is missing
  const told = await answer.json();
  pane.viewer.learn(told.execution ?? told);
  pane.tick();
}

async function refreshList() {
  try {
    const answer = await fetch(`${base}/executions`, { headers: { accept: "application/json" } });
    if (!answer.ok) throw new Error(`${answer.status} ${await reasonOf(answer)}`);
    const told = Date.parse(answer.headers.get("date") ?? "");
    // The header counts whole seconds: less than two apart says nothing.
    if (told) clockAhead = Math.abs(told - Date.now()) > 2_000 ? told - Date.now() : 0;
    const states = (await answer.json()).executions;
    showList(states);
    openNewest(states);
    one(".list-note").hidden = true;
  } catch (error) {
    one(".list-note").textContent = `The list could not be read (${error.message}), trying again.`;
    one(".list-note").hidden = false;
  }
}

function showList(states) {
  const list = one(".list ul");
  const known = new Map([...list.children].map((item) => [item.dataset.execution, item]));
  const items = states.slice(0, MAX_LISTED).map((state) => {
    const item = known.get(state.id) ?? newItem(state.id);
    showState(item, state);
    return item;
  });
  // Only what moved is touched: the focused one keeps its focus.
  if (items.some((item, i) => list.children[i] !== item) || items.length !== known.size) {
    const focused = document.activeElement;
    list.replaceChildren(...items);
    if (list.contains(focused)) focused.focus({ preventScroll: true });
  }
  one(".list-count").textContent = states.length ? String(states.length) : "";
  one(".list").classList.toggle("is-empty", states.length === 0);
  for (const state of states) panes.get(state.id)?.viewer.learn(state);
}

function newItem(id) {
  const item = document.createElement("li");
  item.dataset.execution = id;
  const button = item.appendChild(document.createElement("button"));
  button.type = "button";
  button.append(one("#pane").content.querySelector(".status").cloneNode(true));
  for (const name of ["name", "about"]) button.appendChild(document.createElement("span")).className = name;
  button.querySelector(".name").textContent = id;
  button.title = id;
  button.addEventListener("click", () => goTo(id));
  markWatched(item);
  return item;
}

function markWatched(item) {
  item.firstChild.setAttribute("aria-pressed", String(panes.has(item.dataset.execution)));
}

function showState(item, state) {
  showStatus(item.querySelector(".status"), state.status);
  const ran = elapsed(state, now());
  const parts = [state.workflow_id, lines(state.last_seq ?? 0)];
  if (state.status === "running" && state.progress !== null) parts.push(`${Math.floor(state.progress)} %`);
  if (ran !== null) parts.push(duration(ran, { tenths: isFinal(state.status) }));
  item.querySelector(".about").textContent = parts.filter(Boolean).join(" · ");
}

function wakeAll() {
  for (const pane of panes.values()) pane.viewer.wake();
}

function openNamed() {
  const named = new URLSearchParams(location.search).getAll("execution");
  if (location.hash.length > 1) named.push(decodeURIComponent(location.hash.slice(1)));
  for (const id of named) watch(id);
}

/** Who comes without naming an execution sees at once what runs, if anything does. Only once. */
function openNewest(states) {
  const running = states.find((state) => state.status === "running");
  if (isNew && panes.size === 0 && running) watch(running.id);
  isNew = false;
}

for (const button of document.querySelectorAll(".start")) button.addEventListener("click", () => start(button));
one(".copy-snippet").addEventListener("click", async ({ currentTarget }) => {
  await copyText(one(".snippet code").textContent);
  flash(currentTarget, "Copied");
});
window.addEventListener("hashchange", openNamed);
window.addEventListener("online", wakeAll);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  wakeAll();
  refreshList();
});
setInterval(() => {
  for (const pane of panes.values()) pane.tick();
}, 1_000);
setInterval(() => document.hidden || refreshList(), POLL_MS);
openNamed();
refreshList();
