/** What the page of an execution asks for, beside the log: by default of the client around it. */

import type { Author, ExecutionState, LogStore, NotesStore, RestApi, RuntailClient } from "@runtail/client";
import { createContext, useContext, useMemo } from "react";
import { useClient } from "../client-context.ts";
import { END_FIRST } from "../endFirst.ts";
import type { AskOverview } from "./feed.ts";
import type { OverviewAnswer } from "./overview.ts";
import type { Usual } from "./remaining.ts";

export interface ShareLink {
  /** The address to hand on. */
  readonly href: string;
  readonly expiresAt: string;
}

/** Who writes notes here, as the browser remembers it. */
export interface AuthorBook {
  readonly author: () => Author;
  readonly rename: (name: string) => void;
  /** Whether the note *id* was written here. */
  readonly wrote: (id: string) => boolean;
  readonly remember: (id: string) => void;
}

export interface ExecutionServices {
  readonly log: (id: string) => LogStore;
  readonly rest: RestApi;
  readonly overview: (id: string) => AskOverview;
  readonly state: (id: string, signal: AbortSignal) => Promise<ExecutionState>;
  readonly usual: (workflowId: string, signal: AbortSignal) => Promise<Usual | null>;
  readonly notes: (id: string) => Promise<NotesStore>;
  readonly share: (id: string) => Promise<ShareLink>;
  readonly cancel: (id: string) => Promise<void>;
  readonly authors: AuthorBook;
}

interface FiguresAnswer {
  readonly workflows: readonly { readonly workflow_id: string; readonly finished: number; readonly p50_ms: number | null }[];
}

interface ShareAnswer {
  readonly query: string;
  readonly expires_at: string | number;
}

/** How far back the usual time of a workflow is looked for. */
const WINDOW_SECONDS = 7 * 24 * 3600;

export function servicesOf(client: RuntailClient, authors: AuthorBook): ExecutionServices {
  const { rest } = client;
  const path = (id: string, below: string): string => `executions/${encodeURIComponent(id)}/${below}`;
  return {
    rest,
    authors,
    log: (id) => client.log(id, END_FIRST),
    overview: (id) => (after, signal) => rest.ask<OverviewAnswer>(path(id, "overview"), { query: { after }, signal }),
    state: (id, signal) => rest.execution(id, signal),
    async usual(workflowId, signal) {
      const { workflows } = await rest.ask<FiguresAnswer>("figures", { query: { window_seconds: WINDOW_SECONDS }, signal });
      const found = workflows.find(({ workflow_id }) => workflow_id === workflowId);
      return found === undefined || found.p50_ms === null ? null : { medianMs: found.p50_ms, finished: found.finished };
    },
    notes: async (id) => (await import("@runtail/client/notes")).notesStore(client, id),
    async share(id) {
      const { query, expires_at } = await rest.ask<ShareAnswer>(path(id, "share"), { method: "POST" });
      return { href: `${pageOf(rest, id)}?${query}`, expiresAt: typeof expires_at === "number" ? new Date(expires_at * 1000).toISOString() : expires_at };
    },
    cancel: (id) => rest.cancel(id),
  };
}

export const ServicesContext = /* @__PURE__ */ createContext<ExecutionServices | null>(null);

/** Those of the page around; else made of the client around. */
export function useServices(): () => ExecutionServices {
  const given = useContext(ServicesContext);
  const client = useClient();
  return useMemo(() => {
    if (given !== null) return () => given;
    let made: ExecutionServices | null = null;
    return () => (made ??= servicesOf(client(), browserAuthors()));
  }, [given, client]);
}

/** The page of the execution *id* on the gateway that *rest* asks. */
const pageOf = (rest: RestApi, id: string): string =>
  new URL(`../../monitoring/executions/${encodeURIComponent(id)}`, new URL(rest.downloadUrl(id, "txt").split("?")[0] ?? "", location.href)).href;

const NAME = "runtail-author";
const KEY = "runtail-author-key";
const WROTE = "runtail-author-notes";
/** Of how many notes it is remembered that they were written here. */
const MOST_NOTES = 500;

/** Kept in the browser; where it keeps nothing, for as long as the page is there. */
export function browserAuthors(storage: () => Pick<Storage, "getItem" | "setItem"> = () => localStorage): AuthorBook {
  const here = new Map<string, string>();
  const get = (name: string): string | null => {
    try {
      return here.get(name) ?? storage().getItem(name);
    } catch {
      return here.get(name) ?? null; // cookies are refused
    }
  };
  const set = (name: string, value: string): void => {
    here.set(name, value);
    try {
      storage().setItem(name, value);
    } catch {
      // it is kept in memory
    }
  };
  return {
    author() {
      let key = get(KEY);
      if (key === null) {
        const bytes = crypto.getRandomValues(new Uint8Array(24));
        key = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
        set(KEY, key);
      }
      return { name: get(NAME) ?? "", key };
    },
    rename: (name) => set(NAME, name),
    wrote: (id) => (get(WROTE) ?? "").split(" ").includes(id),
    remember: (id) => set(WROTE, [...(get(WROTE) ?? "").split(" "), id].slice(-MOST_NOTES).join(" ")),
  };
}
