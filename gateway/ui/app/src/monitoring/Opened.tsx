import { ExecutionPage, hashOf, placeOf, type Place, SeveralExecutions, useStrings } from "@runtail/react";
import type { ReactElement } from "react";
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
  return (
    <main className="opened" aria-label={id}>
      {address.share === null && <BackToList address={address} />}
      {others.length > 0 ? (
        <SeveralExecutions
          executionIds={address.open}
          view={address.merged ? "merged" : "side"}
          onView={(view) => say({ ...address, merged: view === "merged" })}
          actionsFor={(each) => <Close id={each} address={address} />}
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

/** Takes one of several away. */
function Close({ id, address }: { readonly id: string; readonly address: Address }): ReactElement {
  const { demo } = useStrings();
  const close = (): void => say({ ...address, open: address.open.filter((one) => one !== id), hash: "" });
  return (
    <button type="button" className="runtail-button runtail-quiet" aria-label={demo.close(id)} title={demo.close(id)} onClick={close}>
      ✕
    </button>
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
