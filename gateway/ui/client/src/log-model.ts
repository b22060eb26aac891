/**
 * One execution's log as a viewer holds it: messages in, happenings and state out. Pure: no clock, no I/O.
 *
 * Of each record it is known whether it continues what is held. What comes twice is dropped, what is
 * missing without a word from the gateway becomes a gap "unannounced".
 */

import { cursorMemory, seqOf } from "./cursors.ts";
import { holesOf } from "./holes.ts";
import type {
  EndMessage, GapMessage, HelloMessage, LogMessage, RecordsMessage, ResetMessage,
} from "./messages.ts";
import { recordWindow, type WindowBounds } from "./record-window.ts";
import type { ExecutionState, LogRecord, Totals, Workers } from "./records.ts";
import type { Completeness, Gap, LogSnapshot, Notice, Reset } from "./snapshot.ts";

const NOTICES = 1000;
const RUNNING: Completeness = { state: "running" };
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
  readonly window: WindowBounds;
  /** Whether records are left out on purpose (level, step). */
  readonly filtered: boolean;
  /** Where whoever watches stands already, newest first; what lies before it was received earlier. */
  readonly after: readonly string[];
}

export interface LogModel {
  readonly stage: Stage;
  /** Where this viewer has been, newest first: what to resume with. Empty before the first `hello`. */
  readonly cursors: readonly string[];
  readonly view: LogView;
  /** Take a message that came at *now* (ms); answer what it meant. */
  take(message: LogMessage, now: number): readonly Happening[];
  /** The link is cut: what comes next is another `hello`. */
  cut(): void;
  /** Note why there is nothing to come. */
  fail(error: LogSnapshot["error"]): void;
}

export function logModel(executionId: string, { window, filtered, after }: LogModelOptions): LogModel {
  const memory = cursorMemory(after);
  const held = recordWindow(window);
  const holes = holesOf();
  let stage: Stage = { phase: "silent" };
  let position: number | null = null; // all up to here was received, left out on purpose, or is told to be gone
  let start: number | null = null; // behind which seq this viewer began
  let stateSeq = 0; // the state that was told covers the records up to here
  let notices: readonly Notice[] = [];
  let firstSeq = 0;
  let lastSeq = 0;
  let resets = 0;
  let omitted = 0;
  let execution: ExecutionState | null = null;
  let workers: Workers | null = null;
  let viewers: number | undefined;
  let totals: Totals | null = null;
  let completeness: Completeness = RUNNING;
  let lastHeardAt = 0;
  let lastRecordAt = 0;
  let error: LogSnapshot["error"] = null;
  let happened: Happening[] = []; // by the message that is being taken

  function take(message: LogMessage, now: number): readonly Happening[] {
    lastHeardAt = now;
    happened = [];
    switch (message.type) {
      case "hello":
        hello(message);
        break;
      case "records":
        takeRecords(message);
        break;
      case "caught_up":
        moveTo(message.cursor);
        stage = { phase: "live" };
        break;
      case "gap":
        gap(message);
        break;
      case "reset":
        reset(message);
        break;
      case "beat":
        ({ workers, viewers } = message);
        lastRecordAt = now - Math.max(0, message.quiet_ms);
        moveTo(message.cursor);
        break;
      case "end":
        end(message);
        break;
      case "error":
        error = { code: message.code, message: message.message };
        break;
      default: // a later gateway may say more: what is not known does no harm
        message satisfies never;
    }
    return happened;
  }

  function hello(message: HelloMessage): void {
    const { cursor, first, last } = message;
    stage = { phase: "replaying", upTo: last ?? 0 };
    error = null;
    totals = null;
    completeness = RUNNING;
    ({ viewers } = message);
    execution = message.execution ?? execution;
    stateSeq = message.execution?.last_seq ?? last ?? 0;
    firstSeq = first ?? firstSeq;
    lastSeq = Math.max(position ?? 0, last ?? 0);
    if (start !== null) return;
    // A start that the gateway cannot prove is followed by its `reset`.
    position = seqOf(cursor);
    start = after.length > 0 ? 0 : (position ?? 0);
    memory.stand(cursor);
  }

  function takeRecords({ records, cursor, omitted: left = 0, size = 0 }: RecordsMessage): void {
    let fresh: LogRecord[] = [];
    const flush = (): void => {
      if (fresh.length > 0) happened.push({ type: "records", records: fresh, cursor });
      held.push(fresh, size / records.length);
      fresh = [];
    };
    const before = position;
    let taken = left;
    for (const record of records) {
      const { seq } = record;
      if (position !== null && seq <= position) continue; // history and live overlap
      if (position !== null && seq > position + 1 && !filtered) {
        flush();
        unannounced(position, seq);
      }
      position = seq;
      absorb(record);
      fresh.push(record);
      taken += 1;
    }
    flush();
    if (records.length > 0) lastRecordAt = lastHeardAt;
    omitted += left;
    if (filtered) account(before, taken, cursor);
    moveTo(cursor);
  }

  // Of a filtered viewer: what was received and what was left out must add up to the way of the cursor.
  function account(before: number | null, taken: number, cursor: string): void {
    const seq = seqOf(cursor);
    if (seq === null) return;
    position = Math.max(seq, position ?? 0);
    if (before !== null && seq - before > taken) unannounced(before, seq + 1, seq - before - taken);
  }

  // The state that `hello` told is newer than the history that follows it: replay must not wind it back.
  function absorb(record: LogRecord): void {
    if (record.kind === undefined || record.seq <= stateSeq) return;
    const at = timeOf(record);
    const state: ExecutionState = execution ?? { id: executionId, status: "running", created_at: at };
    if (record.kind === "progress" && !record.name) {
      execution = { ...state, progress: record.progress };
    } else if (record.kind === "status") {
      const { status, reason = null } = record;
      const started_at = state.started_at ?? (status === "running" ? at : null);
      execution = { ...state, status, reason, started_at, ended_at: FINAL.includes(status) ? at : null };
    }
  }

  function gap(message: GapMessage): void {
    const { cursor, before_seq, after_seq, lost, proved, reason = "not kept" } = message;
    const known = position;
    const beforeSeq = before_seq ?? ((cursor && seqOf(cursor)) || (known ?? 0)) + 1;
    const afterSeq = Math.max(after_seq ?? 0, known ?? beforeSeq - 1);
    if (known !== null && afterSeq > known && !filtered) unannounced(known, afterSeq + 1);
    firstSeq = Math.max(firstSeq, beforeSeq);
    // From a bare record id on nobody knows how many there were: nothing is counted, and it is told.
    if (beforeSeq - 1 > afterSeq || known === null) {
      miss({ type: "gap", afterSeq, beforeSeq, lost, proved, reason });
    }
    if (cursor) moveTo(cursor);
  }

  function reset({ cursor, reason }: ResetMessage): void {
    const seq = seqOf(cursor) ?? 0;
    const missing = holes.cut(seq);
    const dropped = held.cut(seq);
    const went = Math.max(0, (position ?? 0) - Math.max(seq, start ?? 0) - missing);
    start = Math.min(start ?? 0, seq);
    position = Math.min(position ?? seq, seq);
    // Behind a `hello` the state and the end that it told are those of the new history.
    if (stage.phase === "live") stateSeq = lastSeq = seq;
    resets += 1;
    memory.stand(cursor);
    notices = notices.filter(({ type, afterSeq }) => afterSeq < seq || (type === "reset" && afterSeq === seq));
    notice({ type: "reset", afterSeq: seq, withdrawn: filtered ? Math.min(dropped, went) : went, reason });
  }

  function end(message: EndMessage): void {
    totals = message.totals;
    const { first, last } = totals;
    if (position !== null && last > position) unannounced(position, last + 1);
    stage = { phase: "ended" };
    firstSeq = Math.max(firstSeq, first);
    lastSeq = last;
    completeness = holes.judge(totals, start ?? 0);
    if (execution) execution = { ...execution, status: message.status, ended: true };
    happened.push({ type: "end" });
  }

  // A cursor beyond what was received: the gateway believes this viewer to have more than it has.
  function moveTo(cursor: string): void {
    const seq = seqOf(cursor);
    if (!filtered && seq !== null && position !== null && seq > position) unannounced(position, seq + 1);
    position ??= seq;
    lastSeq = Math.max(lastSeq, position ?? 0);
    memory.stand(cursor);
  }

  function unannounced(afterSeq: number, beforeSeq: number, lost = beforeSeq - afterSeq - 1): void {
    miss({ type: "gap", afterSeq, beforeSeq, lost, proved: false, reason: "unannounced" });
  }

  function miss(missing: Gap): void {
    position = missing.beforeSeq - 1;
    holes.add(missing.afterSeq + 1, position, missing.lost);
    notice(missing);
  }

  function notice(told: Notice): void {
    notices = [...notices.slice(1 - NOTICES), told];
    happened.push(told);
  }

  return {
    take,
    get stage() {
      return stage;
    },
    get cursors() {
      return memory.newestFirst();
    },
    get view() {
      const { records } = held;
      return {
        executionId, records, notices, windowFirst: records[0]?.seq ?? 0, firstSeq, lastSeq, resets, execution, workers, viewers,
        totals, completeness, lastHeardAt, lastRecordAt, error, omitted,
      };
    },
    cut() {
      if (stage.phase !== "ended") stage = { phase: "silent" };
    },
    fail(why) {
      error = why;
    },
  };
}

const timeOf = ({ timestamp, id }: LogRecord): string => timestamp ?? new Date(parseInt(id, 10)).toISOString();
