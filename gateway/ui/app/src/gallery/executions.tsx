/** The page of one execution in its states, as large as a page. */

import { ExecutionPage, type ExecutionPageProps, RuntailProvider, ServicesContext, SeveralExecutions, type SeveralView } from "@runtail/react";
import { type ReactElement, useState } from "react";
import { type Sample, SAMPLES, servicesFor } from "./execution_states.ts";
import type { GalleryState } from "./states.tsx";

function Shown({ sample, ...props }: { readonly sample: Sample } & Partial<ExecutionPageProps>): ReactElement {
  const [{ client, services }] = useState(() => servicesFor([sample]));
  return (
    <RuntailProvider client={client}>
      <ServicesContext.Provider value={services}>
        <main className="gallery-execution">
          <ExecutionPage executionId={sample.state.id} {...props} />
        </main>
      </ServicesContext.Provider>
    </RuntailProvider>
  );
}

const TOGETHER = [SAMPLES.running, SAMPLES.tree, SAMPLES.failed];

function Together({ first }: { readonly first: SeveralView }): ReactElement {
  const [{ client, services }] = useState(() => servicesFor(TOGETHER));
  const [view, setView] = useState(first);
  return (
    <RuntailProvider client={client}>
      <ServicesContext.Provider value={services}>
        <main className="gallery-execution">
          <SeveralExecutions executionIds={TOGETHER.map(({ state }) => state.id)} view={view} onView={setView} />
        </main>
      </ServicesContext.Provider>
    </RuntailProvider>
  );
}

const page = (of: keyof typeof SAMPLES, title: string, props: Partial<ExecutionPageProps> = {}, id: string = of): GalleryState => ({
  id: `execution-${id}`,
  title,
  page: true,
  show: () => <Shown sample={SAMPLES[of]} {...props} />,
});

export const EXECUTION_PAGES: readonly GalleryState[] = [
  page("running", "Running: the plan of 12 steps"),
  page("running", "Running: its steps", { tab: "steps" }, "steps"),
  page("running", "Running: its time line", { tab: "time" }, "time"),
  page("running", "Running: metrics, links, progress of parts", { tab: "values" }, "values"),
  page("running", "Running: notes", { tab: "notes" }, "notes"),
  page("failed", "Failed: the failing step on top"),
  page("failed", "Failed: its time line", { tab: "time" }, "failed-time"),
  page("completed", "Completed"),
  page("tree", "Without a plan: steps within steps"),
  page("tree", "Without a plan: its time line", { tab: "time" }, "tree-time"),
  page("one", "A plan of one step"),
  page("hundred", "A plan of 100 steps"),
  page("stalled", "Stalled: its worker is silent"),
  page("slow", "Slower than usual"),
  page("lost", "Worker lost"),
  page("asked", "Asked to stop"),
  page("young", "Nothing has come yet"),
  page("odd", "Odd names, a plan that is not sound"),
  { id: "executions-side", title: "Several side by side", page: true, show: () => <Together first="side" /> },
  { id: "executions-merged", title: "Several as one log", page: true, show: () => <Together first="merged" /> },
];
