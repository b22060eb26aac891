import { ExecutionLogViewer, RuntailProvider } from "@runtail/react";
import styles from "@runtail/react/styles.css?inline";
import { createRoot, type Root } from "react-dom/client";
import { Gateways } from "./gateways.ts";
import { ownGateway, type Wish, wishOf } from "./wish.ts";

const OWN_STYLES = `
  :host { display: block; height: 24rem; min-width: 0; color-scheme: light dark; }
  :host([hidden]) { display: none; }
  .place { height: 100%; }
`;

const gateways = new Gateways();

let sheet: CSSStyleSheet | null = null;

/** One sheet for all elements; made by script, so that no page needs to allow inline styles. */
function sheetOfAll(): CSSStyleSheet {
  if (sheet === null) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(styles + OWN_STYLES);
  }
  return sheet;
}

/**
 * `<runtail-log execution="nightly-1" src="https://logs.example.org">`: the log of one execution while
 * it runs. Without `src` it asks the gateway that this script came from. `line="120-140"` opens it
 * there; `share` is a share link's; `strings` and `token` (a token, or a function that is asked for one)
 * are properties, never attributes.
 */
export class RuntailLog extends HTMLElement {
  static readonly observedAttributes = ["execution", "src", "share", "line"];
  #token: Wish["token"] = null;
  #root: Root | null = null;

  get token(): Wish["token"] {
    return this.#token;
  }

  set token(token: Wish["token"]) {
    this.#token = token;
    this.#draw();
  }

  connectedCallback(): void {
    const shadow = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    shadow.adoptedStyleSheets = [sheetOfAll()];
    const place = document.createElement("div");
    place.className = "place";
    shadow.replaceChildren(place);
    this.#root = createRoot(place);
    this.#draw();
  }

  disconnectedCallback(): void {
    this.#root?.unmount();
    this.#root = null;
    gateways.leave(this);
  }

  attributeChangedCallback(): void {
    this.#draw();
  }

  #draw(): void {
    if (this.#root === null) return;
    const { execution, url, share, line, token } = wishOf((name) => this.getAttribute(name), this.#token, ownGateway(import.meta.url));
    const client = gateways.clientFor(this, { url, share }, token);
    this.#root.render(
      <RuntailProvider client={client} token={token}>
        <ExecutionLogViewer key={execution} executionId={execution} {...(line === null ? {} : { line })} />
      </RuntailProvider>,
    );
  }
}
