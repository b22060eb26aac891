import type { Misfit, RuntailClient } from "@runtail/client";
import { type FormEvent, type KeyboardEvent, type ReactElement, useId, useRef, useState } from "react";
import { useClient } from "../client-context.ts";
import { useStrings } from "../context.ts";
import { Dialog } from "../Dialog.tsx";
import { told } from "../Told.tsx";
import { definitionOf, type Draft, parsed, SAMPLE } from "./definition.ts";
import { newExecutionId } from "./names.ts";
import { StepsForm } from "./StepsForm.tsx";

export interface StartDialogProps {
  readonly onClose: () => void;
  /** It runs, or is waited for: show it. */
  readonly onStarted: (executionId: string) => void;
}

const WAYS = ["demo", "form", "paste"] as const;
type Way = (typeof WAYS)[number];

const PASTED = `{
  "name": "nightly-import",
  "steps": [
    {"name": "extract", "seconds": 4, "logs_per_second": 5},
    {"name": "load", "after": ["extract"], "seconds": 6, "failure": 0.2}
  ]
}`;

interface Trouble {
  readonly message: string;
  readonly errors: readonly Misfit[];
}

/** Start a run: the demo, or a workflow that one builds or pastes. */
export function StartDialog({ onClose, onStarted }: StartDialogProps): ReactElement {
  const { start } = useStrings();
  const client = useClient();
  const [way, setWay] = useState<Way>("demo");
  const [name, setName] = useState("");
  const [workflow, setWorkflow] = useState("my-workflow");
  const [drafts, setDrafts] = useState<readonly Draft[]>(SAMPLE);
  const [text, setText] = useState(PASTED);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [starting, setStarting] = useState(false);
  const id = useId();
  const idOf = (): string => name.trim() || newExecutionId(way === "demo" ? "demo" : "try");
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setStarting(true);
    setTrouble(null);
    try {
      const executionId = idOf();
      await startOf(client(), executionId, way === "demo" ? undefined : way === "form" ? definitionOf(workflow, drafts) : parsed(text));
      onStarted(executionId);
    } catch (error) {
      setTrouble(troubleOf(error));
      setStarting(false);
    }
  };
  const turn = (next: Way): void => {
    setWay(next);
    setTrouble(null);
  };
  return (
    <Dialog title={start.title} onClose={onClose} className="runtail-start-dialog">
      <form onSubmit={(event) => void submit(event)} noValidate>
        <Ways id={id} way={way} turn={turn} />
        <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${way}`} className="runtail-start-panel">
          {way === "demo" && <p className="runtail-faint">{start.demoText}</p>}
          {way === "form" && (
            <>
              <p className="runtail-faint">{start.formText}</p>
              <Field label={start.workflow} value={workflow} onChange={setWorkflow} />
              <StepsForm drafts={drafts} onChange={setDrafts} errors={trouble?.errors ?? []} />
            </>
          )}
          {way === "paste" && (
            <>
              <p className="runtail-faint">{start.formText}</p>
              <label className="runtail-field">
                <span>{start.paste}</span>
                <textarea rows={11} spellCheck={false} value={text} onChange={({ currentTarget }) => setText(currentTarget.value)} aria-invalid={trouble !== null} aria-describedby={`${id}-trouble`} />
              </label>
            </>
          )}
        </div>
        <TroubleBox id={`${id}-trouble`} trouble={trouble} />
        <Field label={start.name} hint={start.nameHint} value={name} onChange={setName} />
        <p className="runtail-faint">{start.realText}</p>
        <div className="runtail-dialog-actions">
          <button type="button" className="runtail-button" onClick={() => onStarted(idOf())}>
            {start.wait}
          </button>
          <button type="submit" className="runtail-button runtail-primary" disabled={starting}>
            {starting ? start.starting : start.start}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function startOf(client: RuntailClient, id: string, definition: object | undefined): Promise<unknown> {
  if (definition === undefined) return client.rest.startDemo(id);
  return client.rest.ask(`executions/${encodeURIComponent(id)}/start-streaming`, { method: "POST", body: definition });
}

function troubleOf(error: unknown): Trouble {
  if (error instanceof Error) {
    const { message, errors = [], detail = message } = error as Error & { errors?: readonly Misfit[]; detail?: string };
    return { message: detail, errors };
  }
  return { message: String(error), errors: [] };
}

function Ways({ id, way, turn }: { readonly id: string; readonly way: Way; readonly turn: (way: Way) => void }): ReactElement {
  const { start } = useStrings();
  const tabs = useRef<HTMLDivElement>(null);
  const byKey = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const next = WAYS[(WAYS.indexOf(way) + step + WAYS.length) % WAYS.length];
    if (step === 0 || next === undefined) return;
    turn(next);
    tabs.current?.querySelector<HTMLElement>(`[data-way="${next}"]`)?.focus();
  };
  return (
    <div className="runtail-tabs" role="tablist" aria-label={start.title} ref={tabs} onKeyDown={byKey}>
      {WAYS.map((one) => (
        <button
          key={one} type="button" role="tab" id={`${id}-${one}`} data-way={one} aria-selected={one === way} tabIndex={one === way ? 0 : -1}
          {...(one === way ? { "aria-controls": `${id}-panel` } : {})} onClick={() => turn(one)}
        >
          {start.ways[one]}
        </button>
      ))}
    </div>
  );
}

interface FieldProps {
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function Field({ label, hint = "", value, onChange }: FieldProps): ReactElement {
  return (
    <label className="runtail-field">
      <span>{label}</span>
      <input value={value} placeholder={hint} autoComplete="off" spellCheck={false} onChange={({ currentTarget }) => onChange(currentTarget.value)} />
    </label>
  );
}

/** What the gateway says is wrong, each with its place. */
function TroubleBox({ id, trouble }: { readonly id: string; readonly trouble: Trouble | null }): ReactElement {
  const { start } = useStrings();
  return (
    <div id={id} role="alert" className="runtail-start-trouble">
      {trouble !== null && (
        <>
          <p>{trouble.errors.length === 0 ? start.refused(told(trouble.message)) : start.wrong(trouble.errors.length)}</p>
          <ul>
            {trouble.errors.map(({ path, message }) => (
              <li key={path + message}>
                <code>{told(path)}</code> {told(message)}
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
