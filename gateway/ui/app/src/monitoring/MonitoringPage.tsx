import { useExecutions, usePageKeys, useStrings } from "@runtail/react";
import { type ReactElement, useEffect, useRef, useState } from "react";
import { type Address, hrefOf } from "./address.ts";
import { Frame } from "./Frame.tsx";
import { later } from "./later.tsx";
import { ListPage } from "./ListPage.tsx";
import { SignIn } from "./SignIn.tsx";
import { go, useAddress } from "./useAddress.ts";

/** Newest executions that are watched: as many as the parts ask for, so that one watch serves all. */
export const LISTED = 100;

export interface MonitoringPageProps {
  /** Whether somebody signed in, with whatever success. */
  readonly hasToken: () => boolean;
  /** Keep a token, and have everybody connect again with it. */
  readonly signIn: (token: string) => void;
}

const Opened = later(() => import("./Opened.tsx").then((module) => module.Opened));
const StartPanel = later(() => import("./StartPanel.tsx").then((module) => module.StartDialog));
const AlertPanel = later(() => import("./AlertPanel.tsx").then((module) => module.AlertPanel));
const Notify = later(() => import("./AlertPanel.tsx").then((module) => module.NotifyButton));

/** The page at `/monitoring`: the list, or what is watched, as the address names it. */
export function MonitoringPage(props: MonitoringPageProps): ReactElement {
  const address = useAddress();
  if (address.share === null) return <Watching {...props} address={address} />;
  return (
    <Frame base={address.base} embed={address.embed}>
      <Opened address={address} onSignIn={undefined} />
    </Frame>
  );
}

interface WatchingProps extends MonitoringPageProps {
  readonly address: Address;
}

function Watching({ address, hasToken, signIn }: WatchingProps): ReactElement {
  const { demo } = useStrings();
  const list = useExecutions({ limit: LISTED });
  const [starting, setStarting] = useState(false);
  const form = useRef<HTMLDivElement>(null);
  const open = (id: string): void => go({ ...address, open: [id], hash: "" });
  const running = list.loaded ? list.executions.filter(({ status }) => status === "running").length : null;
  useTitle(address, running);
  usePageKeys({ n: () => setStarting(true) });
  const started = (id: string): void => {
    setStarting(false);
    open(id);
  };
  const startButton = (
    <button type="button" className="runtail-button runtail-primary" onClick={() => setStarting(true)}>
      {demo.start}
    </button>
  );
  return (
    <Frame base={address.base} embed={address.embed} bar={<Bar loaded={list.loaded} startButton={startButton} />}>
      {list.link.phase === "signed_out" && (
        <div ref={form}>
          <SignIn message={hasToken() ? list.link.message : "This gateway wants to know who comes."} signIn={signIn} />
        </div>
      )}
      {list.loaded && !address.embed && <AlertPanel executions={list.executions} open={address.open} hrefOf={(id) => hrefOf({ ...address, open: [id], hash: "" })} onOpen={open} />}
      {address.open.length === 0 ? (
        <ListPage address={address} onStart={() => setStarting(true)} running={running} />
      ) : (
        <Opened address={address} onSignIn={() => form.current?.querySelector("input")?.focus()} />
      )}
      {starting && <StartPanel onClose={() => setStarting(false)} onStarted={started} />}
    </Frame>
  );
}

function Bar({ loaded, startButton }: { readonly loaded: boolean; readonly startButton: ReactElement }): ReactElement {
  return (
    <div className="bar-actions">
      {loaded && <Notify />}
      {startButton}
    </div>
  );
}

/** The title of a tab among many: how many run. What is open alone tells its own. */
function useTitle({ open }: Address, running: number | null): void {
  const title = open.length === 1 ? null : running !== null && running > 0 ? `${running} running · runtail` : "runtail";
  useEffect(() => {
    if (title !== null) document.title = title;
  }, [title]);
}
