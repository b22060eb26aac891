import type { Misfit } from "@runtail/client";
import { type ReactElement, useId } from "react";
import { useStrings } from "../context.ts";
import { Icon } from "../icons.tsx";
import { told } from "../Told.tsx";
import { type Draft, FIELDS, type Field, nextDraft, placeOf } from "./definition.ts";

export interface StepsFormProps {
  readonly drafts: readonly Draft[];
  readonly onChange: (drafts: readonly Draft[]) => void;
  /** What the gateway says is wrong; shown at the field that it names. */
  readonly errors: readonly Misfit[];
}

const ORDER = /* @__PURE__ */ Object.values(FIELDS);
const NUMBERS: ReadonlySet<Field> = new Set<Field>(["seconds", "rate", "failure"]);

/** The steps of a workflow, one a row. */
export function StepsForm({ drafts, onChange, errors }: StepsFormProps): ReactElement {
  const { start } = useStrings();
  const change = (at: number, changed: Partial<Draft>): void => onChange(drafts.map((draft, n) => (n === at ? { ...draft, ...changed } : draft)));
  return (
    <fieldset className="runtail-steps">
      <div className="runtail-steps-head" aria-hidden="true">
        {ORDER.map((field) => (
          <span key={field}>{start.fields[field]}</span>
        ))}
      </div>
      {drafts.map((draft, at) => (
        <StepRow key={at} at={at} draft={draft} errors={errors} onChange={(changed) => change(at, changed)} onDrop={drafts.length > 1 ? () => onChange(drafts.filter((_, n) => n !== at)) : undefined} />
      ))}
      <button type="button" className="runtail-button" onClick={() => onChange([...drafts, nextDraft(drafts)])}>
        {start.addStep}
      </button>
    </fieldset>
  );
}

interface StepRowProps {
  readonly at: number;
  readonly draft: Draft;
  readonly errors: readonly Misfit[];
  readonly onChange: (changed: Partial<Draft>) => void;
  readonly onDrop: (() => void) | undefined;
}

function StepRow({ at, draft, errors, onChange, onDrop }: StepRowProps): ReactElement {
  const { start } = useStrings();
  const id = useId();
  const wrong = errors.flatMap(({ path, message }) => {
    const place = placeOf(path);
    return place?.step === at ? [{ field: place.field ?? "name", message }] : [];
  });
  return (
    <div className="runtail-step-row" role="group" aria-label={start.step(at + 1)}>
      {ORDER.map((field) => (
        <label key={field} className="runtail-step-field" data-field={field}>
          <span>{start.fields[field]}</span>
          <input
            aria-label={start.fields[field]} value={draft[field]} autoComplete="off" spellCheck={false}
            inputMode={NUMBERS.has(field) ? "decimal" : "text"} placeholder={field === "after" ? start.afterHint : ""}
            aria-invalid={wrong.some((one) => one.field === field)} aria-describedby={wrong.length > 0 ? id : undefined}
            onChange={({ currentTarget }) => onChange({ [field]: currentTarget.value })}
          />
        </label>
      ))}
      <button type="button" className="runtail-button runtail-quiet" disabled={onDrop === undefined} aria-label={start.dropStep(draft.name || start.step(at + 1))} onClick={onDrop}>
        <Icon name="close" />
      </button>
      {wrong.length > 0 && (
        <p id={id} className="runtail-step-wrong">
          {wrong.map(({ field, message }) => `${start.fields[field]}: ${told(message)}`).join("; ")}
        </p>
      )}
    </div>
  );
}
