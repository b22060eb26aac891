import type { ReactElement } from "react";
import { useStrings } from "../context.ts";
import { safeHref } from "../log/links.ts";
import { Progress } from "../Progress.tsx";
import { told, Told } from "../Told.tsx";
import { chartOf } from "./chart.ts";
import type { ExecutionView, LinkOut, Metric, Part } from "./view.ts";

/** Links, progress of parts, and metrics as small charts. */
export function Values({ view }: { readonly view: ExecutionView }): ReactElement {
  const { execution } = useStrings();
  const { links, parts, metrics } = view;
  if (links.size + parts.size + metrics.size === 0) return <p className="runtail-nothing">{execution.valuesEmpty}</p>;
  return (
    <div className="runtail-values">
      {links.size > 0 && <Links links={[...links.values()]} />}
      {parts.size > 0 && <Parts parts={[...parts.values()]} />}
      {metrics.size > 0 && <Metrics metrics={[...metrics.values()]} />}
    </div>
  );
}

/** Addresses that are neither http nor https are words. */
function Links({ links }: { readonly links: readonly LinkOut[] }): ReactElement {
  const { execution } = useStrings();
  return (
    <section aria-label={execution.links}>
      <h3>{execution.links}</h3>
      <ul className="runtail-links">
        {links.map(({ name, url }) => {
          const href = safeHref(url);
          return (
            <li key={name}>
              {href === null ? (
                <Told className="" text={`${name}: ${url}`} />
              ) : (
                <a href={href} target="_blank" rel="noopener noreferrer" title={told(url)}>
                  <Told className="" text={name} />
                </a>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function Parts({ parts }: { readonly parts: readonly Part[] }): ReactElement {
  const { execution, percent } = useStrings();
  return (
    <section aria-label={execution.partsTitle}>
      <h3>{execution.partsTitle}</h3>
      <ul className="runtail-parts">
        {parts.map(({ name, progress, done, total }) => (
          <li key={name}>
            <Told className="runtail-step-name" text={name} titled />
            <span className="runtail-step-facts">
              {done !== null && total !== null ? execution.partOf(execution.value(done, null), execution.value(total, null)) : progress === null ? "" : percent(progress)}
            </span>
            <Progress value={progress} tone={progress === 100 ? "ok" : "running"} label={execution.progressLabel(told(name))} />
          </li>
        ))}
      </ul>
    </section>
  );
}

const WIDTH = 150;
const HEIGHT = 36;

function Metrics({ metrics }: { readonly metrics: readonly Metric[] }): ReactElement {
  const { execution } = useStrings();
  return (
    <section aria-label={execution.metrics}>
      <h3>{execution.metrics}</h3>
      <ul className="runtail-metrics">
        {metrics.map((metric) => (
          <li key={metric.name}>
            <MetricChart metric={metric} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function MetricChart({ metric }: { readonly metric: Metric }): ReactElement | null {
  const { execution } = useStrings();
  const chart = chartOf(metric.samples, WIDTH, HEIGHT);
  const last = metric.samples.at(-1);
  if (chart === null || last === undefined) return null;
  const value = execution.value(last[1], metric.unit);
  const [least, most] = [execution.value(chart.least, null), execution.value(chart.most, null)];
  return (
    <figure className="runtail-metric">
      <figcaption>
        <Told className="runtail-step-name" text={metric.name} titled />
        <strong>{told(value)}</strong>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={execution.chart(told(metric.name), told(value), least, most)}>
        <path className="runtail-metric-area" d={chart.area} />
        <path className="runtail-metric-line" d={chart.line} vectorEffect="non-scaling-stroke" />
      </svg>
      <span className="runtail-faint" aria-hidden="true">
        {execution.leastMost(least, most)}
      </span>
    </figure>
  );
}
