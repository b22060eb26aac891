/** The words around starting an execution. */

import type { Field } from "./definition.ts";

export interface StartStrings {
  readonly title: string;
  readonly ways: Readonly<Record<"demo" | "form" | "paste", string>>;
  readonly name: string;
  readonly nameHint: string;
  readonly demoText: string;
  readonly formText: string;
  readonly workflow: string;
  readonly fields: Readonly<Record<Field, string>>;
  readonly afterHint: string;
  readonly addStep: string;
  readonly dropStep: (name: string) => string;
  readonly step: (number: number) => string;
  readonly paste: string;
  readonly start: string;
  readonly starting: string;
  readonly refused: (message: string) => string;
  readonly wrong: (count: number) => string;
  readonly realText: string;
  readonly wait: string;
}

export const START_STRINGS: StartStrings = {
  title: "Start new execution",
  ways: { demo: "Demo run", form: "Build a workflow", paste: "Paste JSON" },
  name: "Execution id",
  nameHint: "a new one is made for you",
  demoText: "A simulated nightly import of about 20 seconds, with steps, progress, a retry and a warning.",
  formText: "Each step is simulated by its duration, its log rate and its chance of failure. The gateway runs no commands.",
  workflow: "Workflow name",
  fields: { name: "Step", after: "After", seconds: "Seconds", rate: "Logs/s", failure: "Fails %" },
  afterHint: "steps, with commas",
  addStep: "Add step",
  dropStep: (name) => `Remove ${name}`,
  step: (number) => `Step ${number}`,
  paste: "Definition",
  start: "Start",
  starting: "Starting …",
  refused: (message) => `The gateway did not start it: ${message}`,
  wrong: (count) => (count === 1 ? "One thing is wrong with it:" : `${count} things are wrong with it:`),
  realText: "Real runs come from real workers, which may use the same execution id while the page waits for them.",
  wait: "Only wait for a worker",
};
