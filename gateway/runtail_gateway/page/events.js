// What the records beside logs say, each in one line of text. Pure.

import { lines, number, plain } from "./wording.js";

const SAYS = {
  status: (record) => `status ${plain(record.status)}${because(record)}`,
  step: stepText,
  progress: progressText,
  metric: (record) => [`${plain(record.name)} = ${valueOf(record)}`, plain(record.unit)].join(" ").trim(),
  link: (record) => `${plain(record.name)}: ${plain(record.url ?? record.text)}`,
  plan: planText,
  lost: (record) => `${lines(record.lost)} lost before they reached the log${because(record)}`,
  end: (record) => `end, ${plain(record.status)}${record.totals ? `, ${lines(record.totals.records)}` : ""}`,
};

/** Say *record*, whose kind is not `log`, in one line; of a kind that nobody knows all there is. */
export const eventText = (kind, record) => (SAYS[kind] ?? JSON.stringify)(record);

/** Whether a browser may follow *record*, a link: http, https or mailto, nothing that runs code. */
export const isSafeLink = ({ url }) => typeof url === "string" && /^(?:https?:\/\/|mailto:)/i.test(url);

export const because = ({ reason }) => (reason ? `: ${plain(reason)}` : "");

function stepText(record) {
  const word = record.status === "running" ? "started" : plain(record.status);
  const attempt = record.attempt == null ? "" : ` (attempt ${record.attempt} of ${record.attempts ?? "?"})`;
  const waited = record.waited_ms == null ? "" : `, waited ${number(Math.round(record.waited_ms))} ms`;
  return `step ${word}${attempt}${waited}${because(record)}`;
}

function progressText(record) {
  const name = record.name ? `${plain(record.name)} ` : "";
  const part = record.done == null ? "" : ` (${count(record.done)} of ${record.total == null ? "?" : count(record.total)})`;
  return `progress ${name}${record.progress == null ? "unknown" : `${record.progress} %`}${part}`;
}

function planText({ steps, note }) {
  const names = Array.isArray(steps) ? steps.map((step) => plain(step?.name)) : [];
  const counted = `${number(names.length)} ${names.length === 1 ? "step" : "steps"}`;
  return `plan of ${counted}: ${names.join(", ")}${note ? ` · ${plain(note)}` : ""}`;
}

const count = (value) => (typeof value === "number" ? number(value) : plain(value));
const valueOf = (record) => count(record.value ?? record.text);
