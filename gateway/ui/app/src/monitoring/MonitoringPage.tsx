import { hashOf, placeOf, RealtimeMonitoringDemo, type Place, useExecutions, WorkflowExecutionMonitor } from "@runtail/react";
import { type ReactElement, useEffect, useRef, useState } from "react";
import type { Address } from "./address.ts";
import { Brand } from "./Brand.tsx";
import { SignIn } from "./SignIn.tsx";
import { say, useAddress } from "./useAddress.ts";

/** Most executions in the list: as many as the parts ask for, so that one watch serves all. */
export const LISTED = 100;

export interface MonitoringPageProps {
  /** Whether somebody signed in, with whatever success. */
  readonly hasToken: () => boolean;
  /** Keep a token, and have everybody connect again with it. */
  readonly signIn: (token: string) => void;
}

/** The page at `/monitoring`: the list, and what is watched, as the address names it. */
export function MonitoringPage(props: MonitoringPageProps): ReactElement {
  const address = useAddress();
  useTitle(address);
  return address.share === null ? <Watching {...props} address={address} /> : <Shared address={address} />;
}

function useTitle({ open: [first, ...others] }: Address): void {
  const title = first !== undefined && others.length === 0 ? `${first} · runtail` : "runtail";
  useEffect(() => {
    document.title = title;
  }, [title]);
}

/** What of the log the address asks for: it names at most one. */
function asked({ open: [id], hash }: Address): { readonly line?: readonly [number, number]; readonly filter?: Place["filter"] } {
  if (id === undefined || hash === "") return {};
  const { line, filter } = placeOf(hash);
  return line === null ? { filter } : { line: [line.first, line.last], filter };
}

interface WatchingProps extends MonitoringPageProps {
  readonly address: Address;
}

function Watching({ address, hasToken, signIn }: WatchingProps): ReactElement {
  const { link } = useExecutions({ limit: LISTED });
  const form = useRef<HTMLDivElement>(null);
  const [told, setTold] = useState(address.open);
  const [id = ""] = address.open;
  const { line, filter } = asked(address);
  const watch = (open: readonly string[]): void => {
    setTold(open);
    say({ ...address, open, hash: "" });
  };
  return (
    <div className="page">
      {link.phase === "signed_out" && (
        <div ref={form}>
          <SignIn message={hasToken() ? link.message : "This gateway wants to know who comes."} signIn={signIn} />
        </div>
      )}
      <RealtimeMonitoringDemo
        key={sameAs(told, address.open) ? "" : address.open.join()} // changed by hand: begin anew
        brand={<Brand base={address.base} />}
        defaultWatched={address.open}
        lines={line === undefined ? {} : { [id]: line }}
        filters={filter === undefined ? {} : { [id]: filter }}
        onLocationChange={(where, place) => say({ ...address, hash: where === id ? hashOf(place) : "" })}
        onWatch={watch}
        onSignIn={() => form.current?.querySelector("input")?.focus()}
      />
    </div>
  );
}

const sameAs = (some: readonly string[], others: readonly string[]): boolean => some.join() === others.join();

/** What a share link shows: the one execution. */
function Shared({ address }: { readonly address: Address }): ReactElement {
  const [id = ""] = address.open;
  return (
    <div className="page runtail">
      <header className="runtail-bar">
        <Brand base={address.base} />
      </header>
      <main className="shared" aria-label={id}>
        <WorkflowExecutionMonitor
          defaultOpen
          execution={{ id, status: "pending", created_at: "" }}
          onLocationChange={(place) => say({ ...address, hash: hashOf(place) })}
          {...asked(address)}
        />
      </main>
    </div>
  );
}
