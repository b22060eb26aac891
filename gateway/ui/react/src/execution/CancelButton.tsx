import { type ReactElement, useEffect, useRef, useState } from "react";
import { useStrings } from "../context.ts";
import { Icon } from "../icons.tsx";
import { told } from "../Told.tsx";

export interface CancelButtonProps {
  /** Whether it was asked to stop already, by whomever. */
  readonly asked: boolean;
  readonly cancel: () => Promise<void>;
}

type State = { readonly at: "rest" | "asking" | "sending" | "sent" } | { readonly at: "failed"; readonly why: string };

/** Asks a run to stop, after asking once more. What it does then is the worker's affair. */
export function CancelButton({ asked, cancel }: CancelButtonProps): ReactElement {
  const { execution } = useStrings();
  const [state, setState] = useState<State>({ at: "rest" });
  const yes = useRef<HTMLButtonElement>(null);
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (state.at === "asking") yes.current?.focus();
  }, [state.at]);
  const back = (): void => {
    setState({ at: "rest" });
    requestAnimationFrame(() => first.current?.focus());
  };
  const send = (): void => {
    setState({ at: "sending" });
    cancel().then(
      () => setState({ at: "sent" }),
      (error: unknown) => setState({ at: "failed", why: error instanceof Error ? error.message : String(error) }),
    );
  };
  if (asked || state.at === "sent") {
    return (
      <span className="runtail-asked" role="status">
        <Icon name="stop" />
        {execution.cancelAsked}
      </span>
    );
  }
  if (state.at === "asking") {
    return (
      <span className="runtail-sure" role="group" aria-label={execution.cancelAsk} onKeyDown={(event) => event.key === "Escape" && back()}>
        <span>{execution.cancelAsk}</span>
        <button ref={yes} type="button" className="runtail-button runtail-danger" onClick={send}>
          {execution.cancelYes}
        </button>
        <button type="button" className="runtail-button" onClick={back}>
          {execution.cancelNo}
        </button>
      </span>
    );
  }
  return (
    <>
      <button ref={first} type="button" className="runtail-button" disabled={state.at === "sending"} onClick={() => setState({ at: "asking" })}>
        <Icon name="stop" />
        {execution.cancel}
      </button>
      {state.at === "failed" && (
        <span className="runtail-trouble" role="alert">
          {execution.cancelFailed(told(state.why))}
        </span>
      )}
    </>
  );
}
