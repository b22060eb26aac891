import type { Note } from "@runtail/client";
import { type ReactElement, useEffect, useRef, useState } from "react";
import { useStrings } from "../context.ts";
import type { Range } from "../log/index.ts";
import { told, Told } from "../Told.tsx";
import { followed } from "./FailureCard.tsx";
import type { Notes } from "./hooks.ts";
import { NoteForm } from "./NoteForm.tsx";
import { rangeOf } from "./note_lines.ts";
import type { AuthorBook } from "./services.ts";
import { spelledTime } from "./ShareButton.tsx";

export interface NotesPanelProps {
  readonly notes: Notes;
  readonly authors: AuthorBook;
  /** The lines that a new note is being written for; null: none is. */
  readonly draft: Range | null;
  /** The note that was asked for by its mark. */
  readonly shown: string | null;
  readonly onDraftDone: () => void;
  readonly onLines: (lines: Range) => void;
}

/** All notes, by line; a new one is written on top of them. */
export function NotesPanel({ notes, authors, draft, shown, onDraftDone, onLines }: NotesPanelProps): ReactElement {
  const { execution } = useStrings();
  const { store } = notes;
  return (
    <div className="runtail-notes">
      {draft !== null && store !== null && (
        <NoteForm
          key={`${draft.first}-${draft.last}`}
          lines={draft}
          name={authors.author().name}
          done={onDraftDone}
          keep={async (text, name) => {
            authors.rename(name);
            const to = draft.last > draft.first ? { to_seq: draft.last } : {};
            authors.remember((await store.add({ text, seq: draft.first, ...to }, authors.author())).id);
          }}
        />
      )}
      {notes.refused !== null && <p className="runtail-trouble">{execution.notesFailed(told(notes.refused))}</p>}
      {notes.notes.length === 0 ? (
        <div className="runtail-nothing">
          <p>{execution.notesEmpty}</p>
          <p>{execution.notesHow}</p>
        </div>
      ) : (
        <ul aria-label={execution.notesLabel}>
          {notes.notes.map((note) => (
            <NoteCard key={note.id} note={note} notes={notes} authors={authors} isShown={note.id === shown} onLines={onLines} />
          ))}
        </ul>
      )}
    </div>
  );
}

interface NoteCardProps {
  readonly note: Note;
  readonly notes: Notes;
  readonly authors: AuthorBook;
  readonly isShown: boolean;
  readonly onLines: (lines: Range) => void;
}

type Doing = { readonly at: "nothing" | "editing" | "removing" } | { readonly at: "failed"; readonly why: string };

function NoteCard({ note, notes, authors, isShown, onLines }: NoteCardProps): ReactElement {
  const { execution } = useStrings();
  const [doing, setDoing] = useState<Doing>({ at: "nothing" });
  const place = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isShown) place.current?.scrollIntoView({ block: "nearest" });
  }, [isShown]);
  const lines = rangeOf(note);
  const hash = lines.first === lines.last ? `#L${lines.first}` : `#L${lines.first}-L${lines.last}`;
  const remove = (): void => {
    setDoing({ at: "nothing" });
    notes.store?.remove(note.id, authors.author()).catch((error: unknown) => setDoing({ at: "failed", why: error instanceof Error ? error.message : String(error) }));
  };
  return (
    <li ref={place} className="runtail-note" data-shown={isShown}>
      <header>
        <a href={hash} onClick={(event) => followed(event, () => onLines(lines))}>
          {execution.noteFor(lines.first, lines.last)}
        </a>
        <span className="runtail-faint">
          {execution.noteBy(note.author === null ? null : told(note.author), spelledTime(note.created_at))}
          {note.edited_at !== null && ` · ${execution.noteEdited}`}
        </span>
      </header>
      {doing.at === "editing" ? (
        <NoteForm text={note.text} lines={lines} done={() => setDoing({ at: "nothing" })} keep={async (text) => void (await notes.store?.edit(note.id, text, authors.author()))} />
      ) : (
        <Told className="runtail-note-text" text={note.text} />
      )}
      {doing.at === "failed" && (
        <p className="runtail-trouble" role="alert">
          {execution.noteFailed(told(doing.why))}
        </p>
      )}
      {doing.at !== "editing" && authors.wrote(note.id) && (
        <footer>
          {doing.at === "removing" ? (
            <>
              <span>{execution.noteRemoveAsk}</span>
              <button type="button" className="runtail-button runtail-danger" autoFocus onClick={remove}>
                {execution.noteRemove}
              </button>
              <button type="button" className="runtail-button" onClick={() => setDoing({ at: "nothing" })}>
                {execution.noteCancel}
              </button>
            </>
          ) : (
            <>
              <button type="button" className="runtail-textual" onClick={() => setDoing({ at: "editing" })}>
                {execution.noteEdit}
              </button>
              <button type="button" className="runtail-textual" onClick={() => setDoing({ at: "removing" })}>
                {execution.noteRemove}
              </button>
            </>
          )}
        </footer>
      )}
    </li>
  );
}
