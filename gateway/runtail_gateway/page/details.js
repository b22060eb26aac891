// The lines that unfold under a record, each short enough for one row. Pure.

import { plain, stepDuration } from "./wording.js";

const MAX_LINES = 2_000;
const OWN_FIELDS = new Set([
  "id", "seq", "kind", "execution_id", "step_name", "step_type", "message", "input_data",
  "output_data", "duration_ms", "timestamp", "error_message", "level",
]);

/** Spell out *item* in lines of at most *columns* columns: `{label, text}`, label on the first. */
export function detailLines(item, columns) {
  const rows = [];
  for (const [label, value] of fieldsOf(item.record)) {
    const text = typeof value === "string" ? plain(value) : JSON.stringify(value, null, 2);
    wrapped(text, columns).forEach((line, i) => rows.push({ label: i ? "" : label, text: line }));
  }
  if (rows.length <= MAX_LINES) return rows;
  const more = rows.length - MAX_LINES;
  return [...rows.slice(0, MAX_LINES), { label: "", text: `… ${more} more rows, copy the line to have them` }];
}

function* fieldsOf(record) {
  if (record.message) yield ["message", record.message];
  if (record.error_message) yield ["error", record.error_message];
  if (record.input_data != null) yield ["input", record.input_data];
  if (record.output_data != null) yield ["output", record.output_data];
  if (record.duration_ms != null) yield ["duration", stepDuration(record.duration_ms)];
  if (record.step_name) yield ["step", [record.step_name, record.step_type].filter(Boolean).join(" · ")];
  for (const [name, value] of Object.entries(record)) {
    if (!OWN_FIELDS.has(name) && value !== null) yield [name, value];
  }
  yield ["at", `${record.timestamp ?? "no time"} · ${record.id}`];
}

function* pieces(line, columns) {
  let piece = "";
  let width = 0;
  for (const letter of line) {
    const takes = letter.codePointAt(0) >= 0x1100 ? 2 : 1; // most of what lies there is double width
    if (width + takes > columns) {
      yield piece;
      piece = "";
      width = 0;
    }
    piece += letter;
    width += takes;
  }
  yield piece;
}

function wrapped(text, columns) {
  return text.split(/\r\n|\r|\n/).flatMap((line) => [...pieces(line.replaceAll("\t", "    "), columns)]);
}
