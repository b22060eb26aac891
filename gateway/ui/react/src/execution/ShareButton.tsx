import { type ReactElement, useEffect, useId, useRef, useState } from "react";
import { CopyButton } from "../CopyButton.tsx";
import { useStrings } from "../context.ts";
import { Icon } from "../icons.tsx";
import { told } from "../Told.tsx";
import type { ShareLink } from "./services.ts";

export interface ShareButtonProps {
  readonly share: () => Promise<ShareLink>;
}

type State = { readonly at: "closed" | "making" } | { readonly at: "made"; readonly link: ShareLink } | { readonly at: "failed"; readonly why: string };

/** Makes a link that reads this execution and nothing else, until it expires. */
export function ShareButton({ share }: ShareButtonProps): ReactElement {
  const { execution } = useStrings();
  const [state, setState] = useState<State>({ at: "closed" });
  const box = useId();
  const toggle = useRef<HTMLButtonElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const open = state.at !== "closed";
  useEffect(() => {
    if (state.at === "made") field.current?.select();
  }, [state.at]);
  const close = (): void => {
    setState({ at: "closed" });
    toggle.current?.focus();
  };
  const make = (): void => {
    setState({ at: "making" });
    share().then(
      (link) => setState({ at: "made", link }),
      (error: unknown) => setState({ at: "failed", why: error instanceof Error ? error.message : String(error) }),
    );
  };
  return (
    <span className="runtail-share" onKeyDown={(event) => event.key === "Escape" && open && close()}>
      <button ref={toggle} type="button" className="runtail-button" aria-expanded={open} aria-controls={box} onClick={open ? close : make}>
        <Icon name="share" />
        {execution.share}
      </button>
      <div id={box} className="runtail-popover" role="group" aria-label={execution.shareTitle} hidden={!open}>
        {state.at === "making" && <p role="status">{execution.shareMaking}</p>}
        {state.at === "failed" && <p role="alert">{execution.shareFailed(told(state.why))}</p>}
        {state.at === "made" && <Made link={state.link} field={field} />}
        <button type="button" className="runtail-button runtail-quiet" onClick={close}>
          {execution.close}
        </button>
      </div>
    </span>
  );
}

function Made({ link, field }: { readonly link: ShareLink; readonly field: React.RefObject<HTMLInputElement | null> }): ReactElement {
  const { execution } = useStrings();
  return (
    <>
      <p>{execution.shareText(spelledTime(link.expiresAt))}</p>
      <span className="runtail-share-link">
        <input ref={field} readOnly aria-label={execution.shareLink} value={link.href} onFocus={(event) => event.target.select()} />
        <CopyButton text={link.href} />
      </span>
    </>
  );
}

/** A time as the reader's own clock and calendar have it. */
export function spelledTime(text: string): string {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? told(text) : time.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}
