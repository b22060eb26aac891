import { type ReactElement, useEffect, useState } from "react";
import { useStrings } from "./context.ts";
import { Icon } from "./icons.tsx";

const TOLD_MS = 1_500;

/** Put *text* on the clipboard, also where the page is not served over TLS. */
async function copy(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text);
  const area = document.body.appendChild(document.createElement("textarea"));
  area.value = text;
  area.select();
  document.execCommand("copy");
  area.remove();
}

export function CopyButton({ text }: { readonly text: string }): ReactElement {
  const { demo } = useStrings();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), TOLD_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <button type="button" className="runtail-button" onClick={() => void copy(text).then(() => setCopied(true))}>
      <Icon name="copy" />
      <span aria-live="polite">{copied ? demo.copied : demo.copy}</span>
    </button>
  );
}
