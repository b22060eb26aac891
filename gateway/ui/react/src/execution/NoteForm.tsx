import { type FormEvent, type KeyboardEvent, type ReactElement, useEffect, useId, useRef, useState } from "react";
import { useStrings } from "../context.ts";
import type { Range } from "../log/index.ts";
import { told } from "../Told.tsx";

export interface NoteFormProps {
  readonly lines: Range;
  /** What stands there already; absent: it is a new one. */
  readonly text?: string;
  /** Who writes; absent: that is known. */
  readonly name?: string;
  readonly keep: (text: string, name: string) => Promise<void>;
  readonly done: () => void;
}

/** As many as a gateway takes. */
const MOST_CHARACTERS = 4_000;

/** Where a note is written. Ctrl+Enter keeps it, Escape leaves off. */
export function NoteForm({ lines, text: before, name: known, keep, done }: NoteFormProps): ReactElement {
  const { execution } = useStrings();
  const [text, setText] = useState(before ?? "");
  const [name, setName] = useState(known ?? "");
  const [state, setState] = useState<{ readonly sending: boolean; readonly failed: string | null }>({ sending: false, failed: null });
  const words = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  useEffect(() => words.current?.focus(), []);
  const send = (event: { preventDefault: () => void }): void => {
    event.preventDefault();
    if (text.trim() === "" || state.sending) return;
    setState({ sending: true, failed: null });
    keep(text.trim(), name.trim()).then(done, (error: unknown) =>
      setState({ sending: false, failed: error instanceof Error ? error.message : String(error) }),
    );
  };
  const onKeyDown = (event: KeyboardEvent<HTMLFormElement>): void => {
    if (event.key === "Escape") done();
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send(event);
  };
  return (
    <form className="runtail-note-form" aria-label={execution.noteFor(lines.first, lines.last)} onSubmit={(event: FormEvent) => send(event)} onKeyDown={onKeyDown}>
      {before === undefined && <strong>{execution.noteFor(lines.first, lines.last)}</strong>}
      <textarea ref={words} rows={3} maxLength={MOST_CHARACTERS} aria-label={execution.noteText} placeholder={execution.noteText} value={text} onChange={(event) => setText(event.target.value)} />
      {known !== undefined && (
        <label htmlFor={id}>
          {execution.noteAuthor}
          <input id={id} maxLength={80} autoComplete="nickname" value={name} onChange={(event) => setName(event.target.value)} />
        </label>
      )}
      {state.failed !== null && (
        <p className="runtail-trouble" role="alert">
          {execution.noteFailed(told(state.failed))}
        </p>
      )}
      <span className="runtail-note-acts">
        <button type="submit" className="runtail-button runtail-primary" disabled={text.trim() === "" || state.sending}>
          {before === undefined ? execution.notePost : execution.noteSave}
        </button>
        <button type="button" className="runtail-button" onClick={done}>
          {execution.noteCancel}
        </button>
      </span>
    </form>
  );
}
