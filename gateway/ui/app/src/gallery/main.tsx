import { type Clock, RuntailProvider } from "@runtail/react";
import "@runtail/react/styles.css";
import { type ReactElement, StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "./gallery.css";
import { NOW } from "./records.ts";
import { type GalleryState, GROUPS } from "./states.tsx";

/** It stands still: pictures of the same state are the same. */
const STILL: Clock = { now: () => NOW, onSecond: () => () => {} };

const asked = new URLSearchParams(location.search);
const scheme = asked.get("scheme");
if (scheme === "light" || scheme === "dark") document.documentElement.style.colorScheme = scheme;

/** The address of this page with `only` set, or without it. */
function address(only: string | null): string {
  const query = new URLSearchParams({ ...(only === null ? {} : { only }), ...(scheme === null ? {} : { scheme }) });
  return `?${query}`;
}

function State({ state }: { readonly state: GalleryState }): ReactElement {
  return (
    <section className="gallery-state" id={state.id} aria-labelledby={`${state.id}-title`}>
      <h3 id={`${state.id}-title`}>
        <a href={address(state.id)}>{state.title}</a>
      </h3>
      {state.page !== true && state.show()}
    </section>
  );
}

function All(): ReactElement {
  return (
    <main className="gallery">
      <h1>runtail: every state of every part</h1>
      {GROUPS.map(({ title, states }) => (
        <section key={title} aria-label={title}>
          <h2>{title}</h2>
          {states.map((state) => (
            <State key={state.id} state={state} />
          ))}
        </section>
      ))}
    </main>
  );
}

/** One state alone: as large as the window. */
function One({ state }: { readonly state: GalleryState }): ReactElement {
  if (state.page === true) return state.show();
  return (
    <main className="gallery gallery-one">
      <h1>{state.title}</h1>
      {state.show()}
    </main>
  );
}

const one = GROUPS.flatMap(({ states }) => states).find(({ id }) => id === asked.get("only"));
const root = document.getElementById("root");
if (root === null) throw new Error("the page has no element #root");
document.title = one === undefined ? "runtail gallery" : `${one.title} · runtail gallery`;
createRoot(root).render(
  <StrictMode>
    <RuntailProvider clock={STILL}>{one === undefined ? <All /> : <One state={one} />}</RuntailProvider>
  </StrictMode>,
);
