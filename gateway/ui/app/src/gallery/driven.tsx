/** States of the log view that a reader brings about: what is open, folded, searched, selected, on its way. */

import { ExecutionLogViewer } from "@runtail/react";
import type { RestApi } from "@runtail/client";
import { type ReactElement, useEffect, useRef } from "react";
import { LOGS } from "./logs.ts";
import { MemoryClient, type MemoryLog } from "./memory.ts";

type Act = (log: HTMLElement) => void;

interface DrivenProps {
  readonly make: () => MemoryLog;
  readonly act?: Act;
  readonly line?: readonly [number, number];
  /** Instead of answers from the log's own records. */
  readonly rest?: Partial<RestApi>;
}

const logs = new WeakMap<() => MemoryLog, MemoryLog>();

/** A viewer with which *act* does what a reader would, once its lines are drawn. */
function Driven({ make, act, line, rest }: DrivenProps): ReactElement {
  const place = useRef<HTMLDivElement>(null);
  const log = logs.get(make) ?? make();
  logs.set(make, log);
  useEffect(() => {
    const timer = setTimeout(() => act?.(place.current!.querySelector<HTMLElement>(".rt-log")!), 50);
    return () => clearTimeout(timer);
  }, [act]);
  return (
    <div className="gallery-log" ref={place}>
      <ExecutionLogViewer log={log} rest={{ ...new MemoryClient([log]).rest, ...rest }} {...(line === undefined ? {} : { line })} />
    </div>
  );
}

const press = (log: HTMLElement, key: string, more: KeyboardEventInit = {}): boolean =>
  log.querySelector(".rt-scroller")!.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));

const click = (log: HTMLElement, what: string): void => {
  for (const found of log.querySelectorAll<HTMLElement>(what)) if (found.getAttribute("aria-expanded") !== "true") found.click();
};

const find = (text: string): Act => (log) => {
  press(log, "/");
  requestAnimationFrame(() => {
    const input = log.querySelector<HTMLInputElement>(".rt-search input")!;
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value")!.set!.call(input, text);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
};

const openAll: Act = (log) => {
  click(log, ".rt-tone-error .rt-open, .rt-tone-info .rt-open");
  requestAnimationFrame(() => requestAnimationFrame(() => click(log, ".rt-branch-head")));
};

const foldAll: Act = (log) => void press(log, "z");

const never = (): Promise<never> => new Promise(() => {});
const refuse = (): Promise<never> => Promise.reject(new Error("no answer"));

/** A log of which only the end is held. */
const endOnly = (): MemoryLog => {
  const log = LOGS.trimmed();
  log.change({ firstSeq: 1 });
  return log;
};
const driven = (id: string, title: string, props: DrivenProps): { readonly id: string; readonly title: string; readonly show: () => ReactElement } => ({
  id: `log-${id}`, title, show: () => <Driven {...props} />,
});

export const DRIVEN = [
  driven("searching", "A search, with marks", { make: () => LOGS.live(), act: find("page 3") }),
  driven("nothing-found", "A search that finds nothing", { make: () => LOGS.live(), act: find("no such words") }),
  driven("search-fails", "A search that is cut off", { make: () => LOGS.live(), act: find("page"), rest: { logs: refuse } }),
  driven("folded", "Steps folded", { make: () => LOGS.steps(), act: foldAll }),
  driven("opened", "A traceback and data, opened", { make: () => LOGS.failed(), act: openAll }),
  driven("data", "Data of 10,000 keys, opened", { make: () => LOGS.wide(), act: openAll }),
  driven("wrapped", "Long lines, wrapped", { make: () => LOGS.longLines(), act: (log) => void press(log, "w") }),
  driven("selected", "Everything selected", { make: () => LOGS.live(), act: (log) => void press(log, "a", { ctrlKey: true }) }),
  driven("reading", "Away from the end of a log that runs", { make: () => LOGS.live(), act: (log) => void press(log, "g") }),
  driven("keys", "The keys", { make: () => LOGS.live(), act: (log) => void press(log, "?") }),
  driven("more", "What is behind the button, where there is little room", { make: () => LOGS.steps(), act: (log) => click(log, ".rt-overflow-button, .rt-menu > summary") }),
  driven("older-loading", "Older lines are on their way", { make: endOnly, line: [25_000, 25_003], rest: { logs: never } }),
  driven("older-failing", "Older lines cannot be had", { make: endOnly, line: [25_000, 25_003], rest: { logs: refuse } }),
];
