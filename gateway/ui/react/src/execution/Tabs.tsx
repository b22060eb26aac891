import { type KeyboardEvent, type ReactElement, type ReactNode, useId, useRef } from "react";
import { movedTo } from "./StepTree.tsx";

export interface Tab<K extends string> {
  readonly key: K;
  readonly label: string;
  /** Beside the label: how much is there. */
  readonly count?: number;
}

export interface TabsProps<K extends string> {
  readonly label: string;
  readonly tabs: readonly Tab<K>[];
  readonly chosen: K;
  readonly onChoose: (key: K) => void;
  readonly children: ReactNode;
}

/** Tabs as a keyboard knows them: arrows go from one to the next, Tab goes into what is shown. */
export function Tabs<K extends string>({ label, tabs, chosen, onChoose, children }: TabsProps<K>): ReactElement {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent): void => {
    const key = { ArrowRight: "ArrowDown", ArrowLeft: "ArrowUp" }[event.key] ?? event.key;
    const to = movedTo(key, tabs.findIndex((tab) => tab.key === chosen), tabs.length);
    const next = to === null || event.key === "ArrowDown" || event.key === "ArrowUp" ? undefined : tabs[to];
    if (to === null || next === undefined) return;
    event.preventDefault();
    onChoose(next.key);
    list.current?.querySelectorAll("button")[to]?.focus();
  };
  return (
    <>
      <div ref={list} className="runtail-tabs" role="tablist" aria-label={label} onKeyDown={onKeyDown}>
        {tabs.map(({ key, label: word, count = 0 }) => (
          <button
            key={key}
            id={`${id}-${key}`}
            type="button"
            role="tab"
            aria-selected={key === chosen}
            aria-controls={`${id}-panel`}
            tabIndex={key === chosen ? 0 : -1}
            onClick={() => onChoose(key)}
          >
            {word}
            {count > 0 && <span className="runtail-count">{count}</span>}
          </button>
        ))}
      </div>
      <div id={`${id}-panel`} className="runtail-panel" role="tabpanel" aria-labelledby={`${id}-${chosen}`} data-tab={chosen} tabIndex={0}>
        {children}
      </div>
    </>
  );
}
