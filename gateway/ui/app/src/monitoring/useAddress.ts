import { useSyncExternalStore } from "react";
import { type Address, addressOf, hrefOf } from "./address.ts";

let known: { readonly href: string; readonly address: Address } | null = null;
const listeners = new Set<() => void>();

function current(): Address {
  if (known?.href !== location.href) known = { href: location.href, address: addressOf(location) };
  return known.address;
}

function tell(): void {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  if (listeners.size === 0) addEventListener("popstate", tell); // a changed `#` tells it too
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) removeEventListener("popstate", tell);
  };
}

const isShown = (href: string): boolean => href === location.pathname + location.search + location.hash;

/** Make the browser show *address*: a reload, or whoever is sent it, sees the same. */
export function say(address: Address): void {
  const href = hrefOf(address);
  if (isShown(href)) return;
  history.replaceState(history.state, "", href);
  tell();
}

/** Go to *address*: the back button leads back from it. */
export function go(address: Address): void {
  const href = hrefOf(address);
  if (isShown(href)) return;
  history.pushState({ from: location.href }, "", href);
  tell();
}

/** Go to *address*; back, if one came from there: its scroll and filter are as they were. */
export function goBack(address: Address): void {
  const { from } = (history.state ?? {}) as { readonly from?: string };
  if (from !== undefined && addressOf(new URL(from)).open.length === address.open.length) history.back();
  else go(address);
}

/** What the browser's address says. */
export const useAddress = (): Address => useSyncExternalStore(subscribe, current);
