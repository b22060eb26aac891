/**
 * Notes that people pin to lines. A module of its own: a page loads it when it shows notes.
 *
 * They come over the socket that logs come over, also when the run has ended. Where there is no socket for many
 * (event streams, share links) that is refused, and they are asked for every few seconds.
 */

import type { RuntailClient } from "./client.ts";
import type { LogMessage, ListMessage, NotesMessage } from "./messages.ts";
import { notesKey, type LinkState } from "./part.ts";
import type { Store } from "./snapshot.ts";
import { storeOf, type Watched } from "./watched-store.ts";

export interface Note {
  readonly id: string;
  readonly seq: number;
  /** The last line of a range. */
  readonly to_seq: number | null;
  readonly text: string;
  readonly author: string | null;
  readonly created_at: string;
  readonly edited_at: string | null;
  readonly removed: boolean;
}

export interface NotesSnapshot {
  readonly version: number;
  /** By line, then by time. Those that were removed are not among them. */
  readonly notes: readonly Note[];
  /** Whether those that were there have come. */
  readonly loaded: boolean;
  /** Why none come; null: they do, or a new try is under way. */
  readonly refused: string | null;
}

/** Who writes. With signing in, the gateway takes the name from the token. */
export interface Author {
  readonly name: string;
  /** What proves later that a note is one's own, where nobody signs in. */
  readonly key: string;
}

/** What a note is to say, and of which lines. */
export interface NoteDraft {
  readonly text: string;
  readonly seq: number;
  readonly to_seq?: number;
}

export interface NotesStore extends Store<NotesSnapshot> {
  /** Raises RequestFailed, as the others do. What was written is in the snapshot when it is answered. */
  add(draft: NoteDraft, author: Author): Promise<Note>;
  edit(noteId: string, text: string, author: Author): Promise<Note>;
  remove(noteId: string, author: Author): Promise<void>;
}

type NotesAnswer = Pick<NotesMessage, "notes" | "all" | "notes_cursor">;

const POLL_MS = 5_000;
/** The close code for what does not exist (yet). */
const NOT_FOUND = 4404;
/** Most notes held; a gateway keeps no more of an execution. */
const MOST = 10_000;

/** Messages in, notes out. Pure. What is told again changes nothing; *all*: what was known before goes. */
export function notesModel(): { take(notes: readonly Note[], all?: boolean): void; readonly notes: readonly Note[] } {
  const held = new Map<string, Note>();
  const removed = new Set<string>();
  let sorted: readonly Note[] | null = null;
  return {
    take(notes, all = false) {
      if (notes.length > 0 || all) sorted = null;
      if (all) held.clear();
      if (all) removed.clear();
      for (const note of notes) {
        if (note.removed) removed.add(note.id);
        if (removed.has(note.id)) held.delete(note.id);
        else if (isNewer(note, held.get(note.id)) && (held.has(note.id) || held.size < MOST)) held.set(note.id, note);
      }
    },
    get notes() {
      sorted ??= [...held.values()].sort((a, b) => a.seq - b.seq || a.created_at.localeCompare(b.created_at) || a.id.localeCompare(b.id));
      return sorted;
    },
  };
}

const isNewer = (note: Note, known: Note | undefined): boolean => (note.edited_at ?? "") >= (known?.edited_at ?? "");

/** The notes of one execution. It connects with its first subscriber. */
export function notesStore({ pool, rest }: Pick<RuntailClient, "pool" | "rest">, executionId: string): NotesStore {
  const { env } = pool;
  const model = notesModel();
  const path = `executions/${encodeURIComponent(executionId)}/notes`;
  let cursor: string | null = null;
  let loaded = false;
  let refused: string | null = null;
  let timer: unknown;
  let watching = false;

  function take({ notes, all, notes_cursor }: NotesAnswer): void {
    cursor = notes_cursor; // none while more follow: who is cut off then asks for all
    loaded ||= notes_cursor !== null;
    refused = null;
    model.take(notes, all);
    store.changed();
  }

  async function poll(): Promise<void> {
    try {
      take(await rest.ask<NotesAnswer>(path, { query: { after: cursor } }));
    } catch (error) {
      refused = error instanceof Error ? error.message : String(error);
      store.changed();
    }
    if (watching) timer = env.setTimeout(() => void poll(), POLL_MS);
  }

  const part: Watched<NotesSnapshot> = {
    key: notesKey(executionId),
    verb: "subscribe_notes",
    group: "notes",
    wish: () => (cursor === null ? {} : { after: cursor }),
    take: (message: LogMessage | ListMessage | NotesMessage) => {
      if (message.type === "notes") take(message);
    },
    told(state: LinkState) {
      if (state.phase !== "refused") return;
      pool.detach(part, true);
      // an execution that does not exist yet may come
      if (state.code === NOT_FOUND) timer = env.setTimeout(() => watching && pool.attach(part), POLL_MS);
      else if (watching) void poll();
    },
    start() {
      watching = true;
      pool.attach(part);
    },
    stop() {
      watching = false;
      env.clearTimeout(timer);
      pool.detach(part);
    },
    snapshot: (version) => ({ version, notes: model.notes, loaded, refused }),
  };
  const store = storeOf(env, part, { kept() {}, left() {} });

  async function write(method: string, where: string, { name, key }: Author, body?: object): Promise<Note> {
    const said = body === undefined ? {} : { body: { ...body, ...(method === "POST" && name !== "" ? { author: name } : {}) } };
    const note = await rest.ask<Note | null>(where, { method, headers: { "Runtail-Author-Key": key }, ...said });
    if (note !== null) model.take([note]);
    store.changed();
    return note as Note;
  }
  const of = (noteId: string): string => `${path}/${encodeURIComponent(noteId)}`;

  return {
    subscribe: store.subscribe,
    getSnapshot: store.getSnapshot,
    add: (draft, author) => write("POST", path, author, draft),
    edit: (noteId, text, author) => write("PATCH", of(noteId), author, { text }),
    async remove(noteId, author) {
      await write("DELETE", of(noteId), author);
      const gone = model.notes.find(({ id }) => id === noteId);
      if (gone !== undefined) model.take([{ ...gone, removed: true }]);
      store.changed();
    },
  };
}
