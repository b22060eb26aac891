import { type ReactElement, type ReactNode, useId } from "react";
import { useStrings } from "./context.ts";
import { CopyButton } from "./CopyButton.tsx";
import { WORKER, workerAt } from "./snippet.ts";

export interface EmptyStateProps {
  /** Buttons that start something. */
  readonly action?: ReactNode;
  /** The gateway's address, for the worker to copy; without it the worker finds its own way. */
  readonly gateway?: string;
  readonly title?: string;
  readonly text?: string;
}

/** What there is to do where nothing is to be seen. */
export function EmptyState({ action, gateway, title, text }: EmptyStateProps): ReactElement {
  const { demo } = useStrings();
  const id = useId();
  const worker = gateway === undefined ? WORKER : workerAt(gateway);
  return (
    <section className="runtail-empty" aria-labelledby={id}>
      <h2 id={id}>{title ?? demo.emptyTitle}</h2>
      <p>{text ?? demo.emptyText}</p>
      {action !== undefined && <p className="runtail-empty-actions">{action}</p>}
      <p>{demo.emptyWorker}</p>
      <figure className="runtail-snippet">
        <CopyButton text={worker} />
        <pre tabIndex={0} role="region" aria-label={demo.workerLabel}>
          <code>{worker}</code>
        </pre>
      </figure>
    </section>
  );
}
