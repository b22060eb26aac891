import type { ReactElement } from "react";
import { useStrings } from "./context.ts";
import { told } from "./Told.tsx";
import type { Executions } from "./useExecutions.ts";

/** Why the list is not live, if it is not. */
export function ListTrouble({ list }: { readonly list: Pick<Executions, "link" | "reconnect"> }): ReactElement | null {
  const { link, viewer } = useStrings();
  const words =
    list.link.phase === "retrying" ? link.reconnecting(list.link.attempt)
    : list.link.phase === "signed_out" ? link.signedOut
    : list.link.phase === "refused" ? link.refused(told(list.link.message))
    : null;
  if (words === null) return null;
  return (
    <p className="runtail-trouble" role="status">
      {words}{" "}
      <button type="button" className="runtail-textual" onClick={list.reconnect}>
        {viewer.reconnect}
      </button>
    </p>
  );
}
