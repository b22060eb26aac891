import { EmptyState, ExecutionsView, type ListQuery, newExecutionId, useClient, usePageKeys, useStrings } from "@runtail/react";
import { type ReactElement, useMemo, useState } from "react";
import { type Address, hrefOf } from "./address.ts";
import { later } from "./later.tsx";
import { go, say } from "./useAddress.ts";

export interface ListPageProps {
  readonly address: Address;
  /** Ask how to start something. */
  readonly onStart: () => void;
  readonly running: number | null;
}

const FigurePanel = later(() => import("./FigurePanel.tsx").then((module) => module.FigurePanel), <div className="figures-to-come" />);

/** All executions, and the figures above them. */
export function ListPage({ address, onStart, running }: ListPageProps): ReactElement {
  const [usual, setUsual] = useState<ReadonlyMap<string, number>>(new Map());
  usePageKeys({ g: () => say({ ...address, figures: !address.figures }) });
  const change = (list: ListQuery, typing: boolean): void => (typing ? say : go)({ ...address, list });
  const opened = (open: readonly string[], merged = false): Address => ({ ...address, open, merged });
  return (
    <main className="list-page" aria-label="Executions">
      {running !== null ? (
        <FigurePanel
          running={running} open={address.figures} onOpen={(figures) => say({ ...address, figures })} onMedians={setUsual}
          onWorkflow={(workflow) => go({ ...address, list: { ...address.list, workflow } })}
        />
      ) : (
        <div className="figures-to-come" />
      )}
      <ExecutionsView
        query={address.list} onQuery={change} hrefOf={(id) => hrefOf(opened([id]))} onOpen={(id) => go(opened([id]))}
        onOpenSeveral={(ids, merged) => go(opened(ids, merged))} usual={usual} empty={<Welcome address={address} onStart={onStart} />}
      />
    </main>
  );
}

/** Where nothing was ever run. */
function Welcome({ address, onStart }: { readonly address: Address; readonly onStart: () => void }): ReactElement {
  const client = useClient();
  const { demo } = useStrings();
  const [trouble, setTrouble] = useState<string | null>(null);
  const gateway = useMemo(() => location.origin + address.base, [address.base]);
  const start = async (): Promise<void> => {
    const id = newExecutionId();
    try {
      await client().rest.startDemo(id);
      go({ ...address, open: [id] });
    } catch (error) {
      setTrouble(demo.startFailed(error instanceof Error ? error.message : String(error)));
    }
  };
  return (
    <EmptyState
      title="Nothing has run here yet"
      text="Start the demo run, or try out a workflow of your own: it shows up here as it runs, step by step."
      gateway={gateway}
      action={
        <>
          <button type="button" className="runtail-button runtail-primary runtail-start" onClick={() => void start()}>
            Start the demo run
          </button>
          <button type="button" className="runtail-button" onClick={onStart}>
            Try out a workflow …
          </button>
          {trouble !== null && <span role="alert">{trouble}</span>}
        </>
      }
    />
  );
}
