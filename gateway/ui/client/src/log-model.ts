/**
 * One execution's log as a viewer holds it: messages in, happenings and state out. Pure: no clock, no I/O.
 *
 * Of each record it is known whether it continues what is held. What comes twice is dropped, what is
 * missing without a word from the gateway becomes a gap "unannounced".
 */

import { CursorMemory, seqOf } from "./cursors.ts";
import { Holes } from "./holes.ts";
import type {
  BeatMessage, EndMessage, GapMessage, HelloMessage, LogMessage, RecordsMessage, ResetMessage,
} from "./messages.ts";
import { RecordWindow } from "./record-window.ts";
import type { ExecutionState, LogRecord, Totals, Workers } from "./records.ts";
import type { Completeness, Gap, LogSnapshot, Notice, Reset } from "./snapshot.ts";

const NOTICES = 1000;
const FINAL: readonly string[] = ["completed", "failed", "cancelled"];

/** What a message meant, in the order of the log. `cursor` is where the viewer is behind *records*. */
export type Happening =
  | { readonly type: "records"; readonly records: readonly LogRecord[]; readonly cursor: string }
  | Gap
  | Reset
  | { readonly type: "end" };

/** What of a snapshot the log alone decides. */
export type LogView = Omit<LogSnapshot, "version" | "connectionStatus" | "link">;

export type Stage =
  | { readonly phase: "silent" }
  | { readonly phase: "replaying"; readonly upTo: number }
  | { readonly phase: "live" }
  | { readonly phase: "ended" };

export interface LogModelOptions {
  /** Records in the window; 0: all. */
  readonly window: number;
  /** Whether records are left out on purpose (level, step). */
  readonly filtered: boolean;
  /** Where whoever watches stands already, newest first; what lies before it was received earlier. */
  readonly after: readonly string[];
}

export class LogModel {
  stage: Stage = { phase: "silent" };
  readonly #id: string;
  readonly #filtered: boolean;
  readonly #given: boolean;
  readonly #cursors = new CursorMemory();
  readonly #window: RecordWindow;
  readonly #holes = new Holes();
  #position: number | null = null; // all up to here was received, left out on purpose, or is told to be gone
  #start: number | null = null; // behind which seq this viewer began
  #stateSeq = 0; // the state that was told covers the records up to here
  #notices: readonly Notice[] = [];
  #firstSeq = 0;
  #lastSeq = 0;
  #resets = 0;
  #omitted = 0;
  #execution: ExecutionState | null = null;
  #workers: Workers | null = null;
  #totals: Totals | null = null;
  #completeness: Completeness = { state: "running" };
  #heardAt = 0;
  #recordAt = 0;
  #error: LogSnapshot["error"] = null;

  constructor(executionId: string, { window, filtered, after }: LogModelOptions) {
    this.#id = executionId;
    this.#filtered = filtered;
    this.#given = after.length > 0;
    this.#window = new RecordWindow(window);
    for (const cursor of [...after].reverse()) this.#cursors.add(cursor);
  }

  /** Where this viewer has been, newest first: what to resume with. Empty before the first `hello`. */
  get cursors(): readonly string[] {
    return this.#cursors.newestFirst();
  }

  get view(): LogView {
    const records = this.#window.records;
    return {
      executionId: this.#id,
      records,
      notices: this.#notices,
      windowFirst: records[0]?.seq ?? 0,
      firstSeq: this.#firstSeq,
      lastSeq: this.#lastSeq,
      resets: this.#resets,
      execution: this.#execution,
      workers: this.#workers,
      totals: this.#totals,
      completeness: this.#completeness,
      lastHeardAt: this.#heardAt,
      lastRecordAt: this.#recordAt,
      error: this.#error,
      omitted: this.#omitted,
    };
  }

  /** Take a message that came at *now* (ms); answer what it meant. */
  take(message: LogMessage, now: number): readonly Happening[] {
    this.#heardAt = now;
    const happened: Happening[] = [];
    switch (message.type) {
      case "hello":
        this.#hello(message);
        break;
      case "records":
        this.#records(message, now, happened);
        break;
      case "caught_up":
        this.#moveTo(message.cursor, happened);
        this.stage = { phase: "live" };
        break;
      case "gap":
        this.#gap(message, happened);
        break;
      case "reset":
        this.#reset(message, happened);
        break;
      case "beat":
        this.#beat(message, now, happened);
        break;
      case "end":
        this.#end(message, happened);
        break;
      case "error":
        this.#error = { code: message.code, message: message.message };
        break;
      default: // a later gateway may say more: what is not known does no harm
        message satisfies never;
    }
    return happened;
  }

  /** The link is cut: what comes next is another `hello`. */
  cut(): void {
    if (this.stage.phase !== "ended") this.stage = { phase: "silent" };
  }

  /** Note why there is nothing to come, or (null) that there is again. */
  fail(error: LogSnapshot["error"]): void {
    this.#error = error;
  }

  #hello({ execution, cursor, first, last }: HelloMessage): void {
    this.stage = { phase: "replaying", upTo: last ?? 0 };
    this.#error = null;
    this.#totals = null;
    this.#completeness = { state: "running" };
    if (execution) this.#execution = execution;
    this.#stateSeq = execution?.last_seq ?? last ?? 0;
    this.#firstSeq = first ?? this.#firstSeq;
    this.#lastSeq = Math.max(this.#position ?? 0, last ?? 0);
    if (this.#start !== null) return;
    // A start that the gateway cannot prove is followed by its `reset`.
    const seq = seqOf(cursor);
    this.#position = seq;
    this.#start = this.#given ? 0 : (seq ?? 0);
    this.#cursors.add(cursor);
  }

  #records({ records, cursor, omitted = 0 }: RecordsMessage, now: number, happened: Happening[]): void {
    let fresh: LogRecord[] = [];
    const flush = (): void => {
      if (fresh.length > 0) happened.push({ type: "records", records: fresh, cursor });
      this.#window.push(fresh);
      fresh = [];
    };
    const before = this.#position;
    let taken = omitted;
    for (const record of records) {
      const position = this.#position;
      if (position !== null && record.seq <= position) continue; // history and live overlap
      if (position !== null && record.seq > position + 1 && !this.#filtered) {
        flush();
        this.#unannounced(position, record.seq, null, happened);
      }
      this.#position = record.seq;
      this.#absorb(record);
      fresh.push(record);
      taken += 1;
    }
    flush();
    if (records.length > 0) this.#recordAt = now;
    this.#omitted += omitted;
    if (this.#filtered) this.#account(before, taken, cursor, happened);
    this.#moveTo(cursor, happened);
  }

  // Of a filtered viewer: what was received and what was left out must add up to the way of the cursor.
  #account(before: number | null, taken: number, cursor: string, happened: Happening[]): void {
    const seq = seqOf(cursor);
    if (seq === null) return;
    const missing = before === null ? 0 : seq - before - taken;
    this.#position = Math.max(seq, this.#position ?? 0);
    if (missing > 0 && before !== null) this.#unannounced(before, seq + 1, missing, happened);
  }

  // The state that `hello` told is newer than the history that follows it: replay must not wind it back.
  #absorb(record: LogRecord): void {
    if (record.kind === undefined || record.seq <= this.#stateSeq) return;
    const state = this.#execution ?? begun(this.#id, record);
    if (record.kind === "progress" && !record.name) {
      this.#execution = { ...state, progress: record.progress };
    } else if (record.kind === "status") {
      const { status, reason = null } = record;
      const at = timeOf(record);
      const started_at = state.started_at ?? (status === "running" ? at : null);
      this.#execution = { ...state, status, reason, started_at, ended_at: FINAL.includes(status) ? at : null };
    }
  }

  #gap(message: GapMessage, happened: Happening[]): void {
    const { cursor, lost, proved, reason = "not kept" } = message;
    const held = this.#position;
    const before = message.before_seq ?? (cursor ? (seqOf(cursor) ?? held ?? 0) : (held ?? 0)) + 1;
    const after = Math.max(message.after_seq ?? 0, held ?? before - 1);
    if (held !== null && after > held && !this.#filtered) this.#unannounced(held, after + 1, null, happened);
    this.#firstSeq = Math.max(this.#firstSeq, before);
    // From a bare record id on nobody knows how many there were: nothing is counted, and it is told.
    if (before - 1 > after || held === null) {
      this.#holes.add(after + 1, before - 1, lost);
      this.#position = before - 1;
      this.#notice({ type: "gap", afterSeq: after, beforeSeq: before, lost, proved, reason }, happened);
    }
    if (cursor) this.#moveTo(cursor, happened);
  }

  #reset({ cursor, reason }: ResetMessage, happened: Happening[]): void {
    const seq = seqOf(cursor) ?? 0;
    const begun = Math.max(seq, this.#start ?? 0);
    const missing = this.#holes.cut(seq);
    const dropped = this.#window.cut(seq);
    const went = Math.max(0, (this.#position ?? 0) - begun - missing);
    const withdrawn = this.#filtered ? Math.min(dropped, went) : went;
    this.#start = Math.min(this.#start ?? 0, seq);
    this.#position = Math.min(this.#position ?? seq, seq);
    // Behind a `hello` the state and the end that it told are those of the new history.
    if (this.stage.phase === "live") this.#stateSeq = this.#lastSeq = seq;
    this.#resets += 1;
    this.#cursors.rewind(cursor);
    this.#notices = this.#notices.filter(({ type, afterSeq }) => afterSeq < seq || (type === "reset" && afterSeq === seq));
    this.#notice({ type: "reset", afterSeq: seq, withdrawn, reason }, happened);
  }

  #beat({ cursor, quiet_ms, workers }: BeatMessage, now: number, happened: Happening[]): void {
    this.#workers = workers;
    this.#recordAt = now - Math.max(0, quiet_ms);
    this.#moveTo(cursor, happened);
  }

  #end({ status, totals }: EndMessage, happened: Happening[]): void {
    const position = this.#position ?? totals.last;
    if (totals.last > position) this.#unannounced(position, totals.last + 1, null, happened);
    this.stage = { phase: "ended" };
    this.#totals = totals;
    this.#firstSeq = Math.max(this.#firstSeq, totals.first);
    this.#lastSeq = totals.last;
    this.#completeness = this.#holes.judge(totals, this.#start ?? 0);
    if (this.#execution) this.#execution = { ...this.#execution, status, ended: true };
    happened.push({ type: "end" });
  }

  // A cursor beyond what was received: the gateway believes this viewer to have more than it has.
  #moveTo(cursor: string, happened: Happening[]): void {
    const seq = seqOf(cursor);
    const position = this.#position;
    if (!this.#filtered && seq !== null && position !== null && seq > position) {
      this.#unannounced(position, seq + 1, null, happened);
    }
    this.#position = position === null ? seq : this.#position;
    this.#lastSeq = Math.max(this.#lastSeq, this.#position ?? 0);
    this.#cursors.add(cursor);
  }

  #unannounced(afterSeq: number, beforeSeq: number, lost: number | null, happened: Happening[]): void {
    const missing = lost ?? beforeSeq - afterSeq - 1;
    this.#holes.add(afterSeq + 1, beforeSeq - 1, missing);
    this.#position = beforeSeq - 1;
    this.#notice({ type: "gap", afterSeq, beforeSeq, lost: missing, proved: false, reason: "unannounced" }, happened);
  }

  #notice(notice: Notice, happened: Happening[]): void {
    this.#notices = [...this.#notices.slice(1 - NOTICES), notice];
    happened.push(notice);
  }
}

const timeOf = (record: LogRecord): string =>
  record.timestamp ?? new Date(Number(record.id.split("-")[0])).toISOString();

const begun = (id: string, record: LogRecord): ExecutionState => ({ id, status: "running", created_at: timeOf(record) });
