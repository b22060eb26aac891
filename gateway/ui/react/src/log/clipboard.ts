/** Put a text that may take a while to gather where the reader can paste it. */

/** Copy what *text* becomes, while the reader's own click still counts; rejects where the browser refuses. */
export async function copyText(text: Promise<string>): Promise<void> {
  const { clipboard } = navigator;
  if (clipboard && typeof ClipboardItem !== "undefined") {
    const blob = text.then((plain) => new Blob([plain], { type: "text/plain" }));
    await clipboard.write([new ClipboardItem({ "text/plain": blob })]);
    return;
  }
  if (clipboard) await clipboard.writeText(await text);
  else copyByHand(await text); // a page that came over plain http has no clipboard
}

function copyByHand(text: string): void {
  const area = document.createElement("textarea");
  area.value = text;
  area.style.position = "fixed";
  area.style.opacity = "0";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("the browser refuses to copy");
}

/** Let the browser save what *address* answers as *name*. */
export function downloadFrom(name: string, address: string): void {
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
}

/** Offer *text* as a file named *name*. */
export function saveText(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  downloadFrom(name, address);
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
