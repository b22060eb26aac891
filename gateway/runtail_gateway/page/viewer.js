// The protocol client: one execution over one WebSocket at a time, resumed by its cursors. No DOM.

import { Continuity } from "./continuity.js";
import { CursorMemory, seqOf } from "./cursors.js";

/** Nothing heard for this long: the link is dead, although the socket says it is open. */
const DEAD_AFTER_MS = 45_000;
const CONNECT_WITHIN_MS = 15_000;
const BACKOFF_FIRST_MS = 1_000;
const BACKOFF_CAP_MS = 30_000;
const TERMINAL = new Set(["completed", "failed", "cancelled"]);

/**
 * Watch one execution. `emit` receives, in the order of the log:
 * `{type: "records", records, chars}`, each record once and in ascending seq;
 * `{type: "gap", lost, after, before, proved, reason}`;
 * `{type: "reset", seq, withdrawn, reason}`: drop every record beyond seq;
 * `{type: "violation", after, missing}`: the gateway broke its promise; `{type: "change"}`.
 *
 * phase: "connecting", "replaying", "live", "retrying", "done", "refused" or "closed".
 */
export class Viewer {
  phase = "connecting";
  execution = null;
  totals = null;
  workers = null;
  error = null;
  attempt = 0;
  retryAt = 0;
  heardAt = 0;
  recordAt = 0;
  replayTo = 0;
  continuity = new Continuity();
  #cursors = new CursorMemory();
  #stateSeq = 0; // the state that was told covers the records up to here
  #socket = null;
  #timer = null;
  #opened = 0;

  constructor(address, emit, { now = Date.now, random = Math.random } = {}) {
    this.address = address;
    this.emit = emit;
    this.now = now;
    this.random = random;
  }

  /** Connect, or connect again at once. Records already taken are not taken twice. */
  open() {
    this.#drop();
    this.phase = "connecting";
    this.#opened = this.now();
    const socket = new WebSocket(this.#resumeAddress());
    this.#socket = socket;
    // A socket that was given up may still deliver: only the current one is listened to.
    const current = (take) => (event) => socket === this.#socket && take(event);
    socket.onmessage = current((event) => this.#take(event.data));
    socket.onclose = current((event) => this.#closed(event.code));
    this.#watch();
    this.emit({ type: "change" });
  }

  /** Stop watching, for good. */
  close() {
    this.#drop();
    this.phase = "closed";
  }

  /** The network or the page came back: do not wait for the timer. */
  wake() {
    const stale = this.now() - this.heardAt > DEAD_AFTER_MS;
    if (this.phase === "retrying" || (this.#socket && this.heardAt && stale)) this.open();
  }

  /** True while a connection is there and its `hello` was heard. */
  get connected() {
    return this.phase === "replaying" || this.phase === "live";
  }

  /** Take a newer state, from a list or a look-up. */
  learn(state) {
    if (!state || (state.last_seq ?? 0) < this.#stateSeq) return;
    this.execution = { ...state };
    this.#stateSeq = state.last_seq ?? 0;
  }

  #resumeAddress() {
    const query = new URLSearchParams({ wait: "true" });
    for (const cursor of this.#cursors.newestFirst()) query.append("after", cursor);
    return `${this.address}?${query}`;
  }

  #take(data) {
    this.heardAt = this.now();
    const message = JSON.parse(data);
    switch (message.type) {
      case "hello":
        this.#hello(message);
        break;
      case "records":
        this.#records(message, data.length);
        break;
      case "caught_up":
        this.attempt = 0;
        this.#moveTo(message.cursor);
        this.phase = "live";
        break;
      case "gap":
        this.#gap(message);
        break;
      case "reset":
        this.#reset(message);
        break;
      case "beat":
        this.workers = message.workers ?? null;
        this.recordAt = Math.min(this.heardAt, this.heardAt - (message.quiet_ms ?? 0));
        this.#moveTo(message.cursor);
        break;
      case "end":
        this.#end(message);
        break;
      case "error":
        this.error = { code: message.code, message: message.message };
        break;
      default: // a later gateway may say more; what is not known does no harm
    }
    this.emit({ type: "change" });
  }

  #hello({ execution, cursor, last }) {
    const first = this.#cursors.newestFirst().length === 0;
    this.phase = "replaying";
    this.error = null;
    this.replayTo = last ?? 0;
    this.#stateSeq = 0;
    this.learn(execution);
    this.#stateSeq = Math.max(this.#stateSeq, last ?? 0);
    // A start that the gateway resolved earlier than ours is followed by its `reset`.
    if (first && cursor) this.continuity.startAfter(seqOf(cursor) ?? 0);
    if (first && cursor) this.#cursors.add(cursor);
  }

  #records({ records, cursor }, chars) {
    let fresh = [];
    const flush = () => {
      if (fresh.length) {
        this.emit({ type: "records", records: fresh, chars: (chars * fresh.length) / records.length });
      }
      fresh = [];
    };
    for (const record of records) {
      const after = this.continuity.lastSeq;
      const verdict = this.continuity.take(record.seq);
      if (verdict === "repeated") continue;
      if (verdict !== "next") {
        flush();
        this.emit({ type: "violation", after, missing: verdict });
      }
      this.#absorb(record);
      fresh.push(record);
    }
    flush();
    this.attempt = 0;
    this.recordAt = this.heardAt;
    this.#moveTo(cursor);
  }

  // The state that `hello` told is newer than the history that follows it: replay must not wind it back.
  #absorb(record) {
    if (record.seq <= this.#stateSeq) return;
    const at = record.timestamp ?? new Date(Number(record.id.split("-")[0])).toISOString();
    const state = (this.execution ??= { id: record.execution_id, status: "running", created_at: at });
    if (record.kind === "progress" && !record.name) state.progress = record.progress;
    if (record.kind !== "status") return;
    state.status = record.status;
    state.reason = record.reason ?? null;
    if (record.status === "running") state.started_at ??= at;
    state.ended_at = TERMINAL.has(record.status) ? at : null;
  }

  #gap({ cursor, after_seq: after, before_seq: before, lost, proved, reason }) {
    const from = after ?? this.continuity.lastSeq;
    const until = before ?? (cursor ? (seqOf(cursor) ?? from) : from) + 1;
    this.continuity.gap(from, until);
    this.emit({ type: "gap", after: from, before: until, lost, proved, reason });
    this.#moveTo(cursor);
  }

  #reset({ cursor, reason }) {
    const seq = seqOf(cursor) ?? 0;
    const withdrawn = this.continuity.reset(seq);
    this.#cursors.rewind(cursor);
    this.emit({ type: "reset", seq, withdrawn, reason });
  }

  #end({ status, totals }) {
    this.phase = "done";
    this.totals = totals;
    const missing = this.continuity.claim(totals.last ?? 0);
    if (missing) this.#violated(missing);
    if (this.execution) this.execution.status = status;
  }

  #moveTo(cursor) {
    if (!cursor) return;
    const missing = this.continuity.claim(seqOf(cursor) ?? 0);
    if (missing) this.#violated(missing);
    this.#cursors.add(cursor);
  }

  #violated(missing) {
    this.emit({ type: "violation", after: this.continuity.lastSeq - missing, missing });
  }

  #closed(code) {
    this.#drop();
    if (this.phase === "done") {
      // 1000 without `end` is no end: a viewer is done only when it saw one.
    } else if (code >= 4400 && code < 4500) {
      this.phase = "refused";
      this.error ??= { code: String(code), message: "the gateway refused this viewer" };
    } else {
      this.#retryLater();
    }
    this.emit({ type: "change" });
  }

  // Full jitter: a thousand pages cut off together must not come back together.
  #retryLater() {
    this.phase = "retrying";
    this.attempt += 1;
    const most = Math.min(BACKOFF_CAP_MS, BACKOFF_FIRST_MS * 2 ** (this.attempt - 1));
    const delay = this.random() * most;
    this.retryAt = this.now() + delay;
    this.#timer = setTimeout(() => this.open(), delay);
  }

  #watch() {
    const limit = this.connected ? DEAD_AFTER_MS : CONNECT_WITHIN_MS;
    const silent = this.now() - Math.max(this.heardAt, this.#opened);
    if (silent >= limit) {
      this.#closed(4000);
      return;
    }
    this.#timer = setTimeout(() => this.#watch(), Math.min(limit - silent, 5_000));
  }

  #drop() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    if (socket && socket.readyState < WebSocket.CLOSING) socket.close(4000, "given up");
  }
}
