import { type ReactElement, type Ref, useEffect, useId, useState } from "react";
import { useStrings } from "../context.ts";
import { Icon } from "../icons.tsx";
import { toneOf } from "../status.ts";
import { told } from "../Told.tsx";
import { CHOSEN_STATUSES, type ChosenStatus, ALL_EXECUTIONS, type ListQuery, narrows, SPANS, type Span } from "./query.ts";

/** After the last letter: a word is looked for, not each of its beginnings. */
const TYPING_MS = 200;

export interface FilterBarProps {
  readonly query: ListQuery;
  /** *typing*: the address should follow, without a step back for each letter. */
  readonly onQuery: (query: ListQuery, typing: boolean) => void;
  /** Names of the workflows to choose from. */
  readonly workflows: readonly string[];
  readonly search: Ref<HTMLInputElement>;
}

/** What of the executions is listed. */
export function FilterBar({ query, onQuery, workflows, search }: FilterBarProps): ReactElement {
  const { list } = useStrings();
  const change = (changed: Partial<ListQuery>): void => onQuery({ ...query, ...changed }, false);
  const spans = Object.keys(SPANS) as Span[];
  return (
    <div className="runtail-filters" role="search" aria-label={list.filters}>
      <SearchField query={query} onQuery={onQuery} search={search} />
      <StatusChoice chosen={query.status} onChange={(status) => change({ status })} />
      <Choice label={list.workflow} value={query.workflow ?? ""} none={list.allWorkflows} options={withOwn(workflows, query.workflow).map((name) => [name, told(name)])} onChange={(value) => change({ workflow: value || null })} />
      <Choice label={list.within} value={query.within ?? ""} none={list.anyTime} options={spans.map((span) => [span, list.spans[span]])} onChange={(value) => change({ within: (value || null) as Span | null })} />
      {narrows(query) && (
        <button type="button" className="runtail-button runtail-quiet" onClick={() => onQuery({ ...ALL_EXECUTIONS, sort: query.sort, turned: query.turned }, false)}>
          <Icon name="close" />
          {list.clear}
        </button>
      )}
    </div>
  );
}

const withOwn = (names: readonly string[], own: string | null): readonly string[] => (own === null || names.includes(own) ? names : [own, ...names]);

function SearchField({ query, onQuery, search }: Pick<FilterBarProps, "query" | "onQuery" | "search">): ReactElement {
  const { list } = useStrings();
  const [typed, setTyped] = useState(query.text);
  useEffect(() => setTyped(query.text), [query.text]);
  useEffect(() => {
    if (typed === query.text) return;
    const timer = setTimeout(() => onQuery({ ...query, text: typed }, true), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, query, onQuery]);
  return (
    <label className="runtail-search">
      <Icon name="search" />
      <span className="runtail-spoken">{list.search}</span>
      <input ref={search} type="search" value={typed} placeholder={list.searchHint} autoComplete="off" spellCheck={false} maxLength={200} onChange={({ currentTarget }) => setTyped(currentTarget.value)} />
    </label>
  );
}

function StatusChoice({ chosen, onChange }: { readonly chosen: readonly ChosenStatus[]; readonly onChange: (chosen: readonly ChosenStatus[]) => void }): ReactElement {
  const { list } = useStrings();
  const turn = (status: ChosenStatus): void => {
    const next = chosen.includes(status) ? chosen.filter((one) => one !== status) : [...chosen, status];
    onChange(CHOSEN_STATUSES.filter((one) => next.includes(one)));
  };
  return (
    <div className="runtail-status-choice" role="group" aria-label={list.status}>
      {CHOSEN_STATUSES.map((status) => (
        <button key={status} type="button" className="runtail-chip" data-tone={toneOf(status)} aria-pressed={chosen.includes(status)} onClick={() => turn(status)}>
          {list.statuses[status]}
        </button>
      ))}
    </div>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly none: string;
  readonly options: readonly (readonly [value: string, words: string])[];
  readonly onChange: (value: string) => void;
}

function Choice({ label, value, none, options, onChange }: ChoiceProps): ReactElement {
  const id = useId();
  return (
    <span className="runtail-pick">
      <label htmlFor={id} className="runtail-spoken">
        {label}
      </label>
      <select id={id} value={value} data-set={value !== ""} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        <option value="">{none}</option>
        {options.map(([one, words]) => (
          <option key={one} value={one}>
            {words}
          </option>
        ))}
      </select>
    </span>
  );
}
