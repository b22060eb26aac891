import { ExecutionPage, hashOf, placeOf, RealtimeMonitoringDemo, type Place } from "@runtail/react";
import { type ReactElement, useState } from "react";
import { type Address, hrefOf } from "./address.ts";
import { goBack, say } from "./useAddress.ts";

export interface OpenedProps {
  readonly address: Address;
  readonly onSignIn: (() => void) | undefined;
}

/** What of the log the address asks for: it names at most one. */
function asked({ open: [id], hash }: Address): { readonly line?: readonly [number, number]; readonly filter?: Place["filter"] } {
  if (id === undefined || hash === "") return {};
  const { line, filter } = placeOf(hash);
  return line === null ? { filter } : { line: [line.first, line.last], filter };
}

/** The executions that the address names. */
export function Opened({ address, onSignIn }: OpenedProps): ReactElement {
  const [id = "", ...others] = address.open;
  const [said, setSaid] = useState(address.open);
  const watch = (open: readonly string[]): void => {
    setSaid(open);
    say({ ...address, open, hash: "" });
  };
  return (
    <main className="opened" aria-label={id}>
      {address.share === null && <BackToList address={address} />}
      {others.length > 0 ? (
        <RealtimeMonitoringDemo
          key={said.join() === address.open.join() ? "" : address.open.join()} // changed by hand: begin anew
          defaultWatched={address.open} onWatch={watch} openNewest={false} {...(onSignIn === undefined ? {} : { onSignIn })}
        />
      ) : (
        <ExecutionPage
          key={id}
          executionId={id}
          inTitle
          readOnly={address.share !== null}
          onLocationChange={(place) => say({ ...address, hash: hashOf(place) })}
          onSignIn={onSignIn}
          {...asked(address)}
        />
      )}
    </main>
  );
}

function BackToList({ address }: { readonly address: Address }): ReactElement {
  const list: Address = { ...address, open: [], hash: "", merged: false };
  return (
    <nav aria-label="Breadcrumb" className="back-to-list">
      <a
        href={hrefOf(list)}
        onClick={(event) => {
          if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
          event.preventDefault();
          goBack(list);
        }}
      >
        ← Executions
      </a>
    </nav>
  );
}
