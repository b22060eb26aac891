/** The page of an execution over stores and answers in memory. */

import type { ExecutionState, LogRecord, NoteDraft, NotesSnapshot, NotesStore } from "@runtail/client";
import { act, render } from "@testing-library/react";
import type { ReactElement, ReactNode } from "react";
import { MemoryClient, MemoryLog } from "../../../app/src/gallery/memory.ts";
import type { OverviewAnswer } from "../../src/execution/overview.ts";
import { type Clock, type ExecutionServices, RuntailProvider, ServicesContext } from "../../src/index.ts";
import { notesModel } from "../../../client/src/notes.ts";
import { NO_OVERVIEW, T0 } from "./records.ts";

/** A clock that goes on when it is told to. */
export class Hand implements Clock {
  at = T0 + 60_000;
  readonly #ticks = new Set<() => void>();
  now = (): number => this.at;
  onSecond = (tick: () => void): (() => void) => {
    this.#ticks.add(tick);
    return () => void this.#ticks.delete(tick);
  };

  pass(ms: number): void {
    act(() => {
      this.at += ms;
      for (const tick of this.#ticks) tick();
    });
  }
}

export const state = (changed: Partial<ExecutionState> = {}): ExecutionState => ({
  id: "a", workflow_id: "nightly", status: "running", created_at: new Date(T0).toISOString(), started_at: new Date(T0).toISOString(),
  ended_at: null, progress: null, ...changed,
});

/** Notes that are kept by nobody. */
export class MemoryNotes implements NotesStore {
  readonly #model = notesModel();
  readonly #listeners = new Set<() => void>();
  readonly asked: string[] = [];
  #snapshot: NotesSnapshot = { version: 0, notes: [], loaded: true, refused: null };
  fails: Error | null = null;

  getSnapshot = (): NotesSnapshot => this.#snapshot;
  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Somebody, here or elsewhere, wrote. */
  put(note: Partial<NotesSnapshot["notes"][number]>): void {
    this.#model.take([{ id: `n${this.#model.notes.length}`, seq: 1, to_seq: null, text: "", author: null, created_at: new Date(T0).toISOString(), edited_at: null, removed: false, ...note }]);
    this.#snapshot = { ...this.#snapshot, version: this.#snapshot.version + 1, notes: this.#model.notes };
    for (const listener of this.#listeners) listener();
  }

  async #try(what: string): Promise<void> {
    this.asked.push(what);
    if (this.fails !== null) throw this.fails;
  }

  add = async (draft: NoteDraft, author: { name: string }): Promise<never> => {
    await this.#try(`add ${draft.seq}-${draft.to_seq ?? draft.seq} ${draft.text} by ${author.name}`);
    const id = `n${this.#snapshot.notes.length}`;
    this.put({ ...draft, id, author: author.name, to_seq: draft.to_seq ?? null });
    return this.#snapshot.notes.find((note) => note.id === id) as never;
  };
  edit = async (id: string, text: string): Promise<never> => {
    await this.#try(`edit ${id} ${text}`);
    this.put({ ...this.#snapshot.notes.find((note) => note.id === id), text, edited_at: new Date(T0 + 1000).toISOString() });
    return undefined as never;
  };
  remove = async (id: string): Promise<void> => {
    await this.#try(`remove ${id}`);
    this.put({ id, removed: true });
  };
}

export class World {
  readonly hand = new Hand();
  readonly client: MemoryClient;
  readonly log: MemoryLog;
  readonly notes = new MemoryNotes();
  readonly asked: string[] = [];
  readonly wrote = new Set<string>();
  overview: OverviewAnswer | Error = NO_OVERVIEW;
  usual: { readonly medianMs: number; readonly finished: number } | null = null;
  services: ExecutionServices;

  constructor(records: readonly LogRecord[] = [], execution: ExecutionState | null = state(), changed = {}) {
    this.log = new MemoryLog("a", records, { execution, ...changed });
    this.client = new MemoryClient([this.log]);
    const answer = <T,>(value: T | Error): Promise<T> => (value instanceof Error ? Promise.reject(value) : Promise.resolve(value));
    this.services = {
      rest: this.client.rest,
      log: (id) => this.client.log(id),
      overview: () => () => answer(this.overview),
      state: () => answer(this.log.getSnapshot().execution ?? new Error("not found")),
      usual: () => Promise.resolve(this.usual),
      notes: () => Promise.resolve(this.notes),
      share: async () => ({ href: "http://here/monitoring/executions/a?share=s", expiresAt: new Date(T0 + 3_600_000).toISOString() }),
      cancel: async (id) => void this.asked.push(`cancel ${id}`),
      authors: { author: () => ({ name: "", key: "k" }), rename: (name) => void this.asked.push(`rename ${name}`), wrote: (id) => this.wrote.has(id), remember: (id) => void this.wrote.add(id) },
    };
  }

  show(element: ReactElement): ReturnType<typeof render> {
    const wrapper = ({ children }: { readonly children: ReactNode }): ReactElement => (
      <RuntailProvider client={this.client} clock={this.hand}>
        <ServicesContext.Provider value={this.services}>{children}</ServicesContext.Provider>
      </RuntailProvider>
    );
    return render(element, { wrapper });
  }
}

/** Let promises and what waits for a moment come through. */
export const settled = (ms = 250): Promise<void> => act(() => new Promise<void>((done) => setTimeout(done, ms)));
