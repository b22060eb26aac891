import type { ReactElement } from "react";
import { useStrings } from "../context.ts";
import { Icon } from "../icons.tsx";
import { toneOf } from "../status.ts";
import { told } from "../Told.tsx";
import type { Alerts, ToldAlert } from "./useAlerts.ts";

export interface AlertBannerProps extends Alerts {
  readonly hrefOf: (executionId: string) => string;
  readonly onOpen: (executionId: string) => void;
}

/** Alerts that are shown one by one; of the others the number. */
const SHOWN = 3;

/** What failed, stalled or was lost while one looked elsewhere. */
export function AlertBanner({ alerts, dismiss, hrefOf, onOpen }: AlertBannerProps): ReactElement {
  const { alerts: words } = useStrings();
  return (
    <section className="runtail runtail-alerts" aria-label={words.title} aria-live="polite" aria-relevant="additions">
      {alerts.slice(0, SHOWN).map((alert) => (
        <OneAlert key={`${alert.id} ${alert.kind}`} alert={alert} dismiss={dismiss} hrefOf={hrefOf} onOpen={onOpen} />
      ))}
      {alerts.length > 1 && (
        <p className="runtail-alerts-all">
          {alerts.length > SHOWN && <span>{words.more(alerts.length - SHOWN)}</span>}
          <button type="button" className="runtail-textual" onClick={() => dismiss(null)}>
            {words.dismissAll}
          </button>
        </p>
      )}
    </section>
  );
}

function OneAlert({ alert: { id, kind, state, lines }, dismiss, hrefOf, onOpen }: Omit<AlertBannerProps, "alerts"> & { readonly alert: ToldAlert }): ReactElement {
  const { alerts: words } = useStrings();
  const name = told(id);
  const error = state.last_error?.message ?? state.reason ?? "";
  const others = lines.filter((line) => line !== error);
  return (
    <article className="runtail-alert" data-tone={toneOf(kind)}>
      <Icon name={kind} />
      <div className="runtail-alert-text">
        <p>
          <strong title={name}>{words.told[kind](name)}</strong> {error !== "" && <bdi>{told(error)}</bdi>}
        </p>
        {others.length > 0 && (
          <pre aria-label={words.lastLines} tabIndex={0} role="region">
            {others.map(told).join("\n")}
          </pre>
        )}
      </div>
      <a
        className="runtail-button" href={hrefOf(id)}
        onClick={(event) => {
          if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
          event.preventDefault();
          onOpen(id);
        }}
      >
        {words.open}
      </a>
      <button type="button" className="runtail-button runtail-quiet" aria-label={words.dismiss(name)} onClick={() => dismiss(id)}>
        <Icon name="close" />
      </button>
    </article>
  );
}
