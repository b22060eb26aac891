import { type ReactElement, useState } from "react";
import { useStrings } from "../context.ts";
import { Icon } from "../icons.tsx";
import { askPermission, permission } from "./notifying.ts";

/** Asks the browser for notifications when it is pressed, and never before; nothing where there are none. */
export function NotifyButton(): ReactElement | null {
  const { alerts } = useStrings();
  const [allowed, setAllowed] = useState(permission);
  if (allowed === "none") return null;
  const words = allowed === "granted" ? alerts.notifying : allowed === "denied" ? alerts.refused : alerts.notify;
  return (
    <button type="button" className="runtail-button runtail-quiet runtail-notify" data-allowed={allowed} disabled={allowed !== "default"} title={words} onClick={() => void askPermission().then(setAllowed)}>
      <Icon name="bell" />
      <span>{allowed === "denied" ? "" : words}</span>
      {allowed === "denied" && <span className="runtail-spoken">{words}</span>}
    </button>
  );
}
