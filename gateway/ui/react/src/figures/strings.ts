/** The words of the figures. */

export interface FigureStrings {
  readonly title: string;
  readonly running: string;
  readonly finished: string;
  readonly failed: string;
  readonly successRate: string;
  readonly recordsPerSecond: string;
  readonly perMinute: string;
  /** Said in place of the chart. */
  readonly chart: (started: number, finished: number, failed: number, minutes: number) => string;
  readonly legend: Readonly<Record<"started" | "completed" | "failed" | "cancelled", string>>;
  readonly more: string;
  readonly workflows: string;
  readonly steps: string;
  readonly columns: Readonly<Record<"workflow" | "runs" | "failed" | "p50" | "p95" | "history" | "step", string>>;
  readonly history: (count: number) => string;
  readonly none: string;
  readonly unknown: string;
  readonly partial: (counted: string) => string;
  readonly trouble: (message: string) => string;
  readonly notThere: (message: string) => string;
}

export const FIGURE_STRINGS: FigureStrings = {
  title: "Figures of the last hour",
  running: "Running",
  finished: "Finished",
  failed: "Failed",
  successRate: "Success rate",
  recordsPerSecond: "Records/s",
  perMinute: "Executions per minute",
  chart: (started, finished, failed, minutes) => `In the last ${minutes} minutes ${started} were started, ${finished} finished, ${failed} of them failed.`,
  legend: { started: "started", completed: "completed", failed: "failed", cancelled: "cancelled" },
  more: "Workflows and steps",
  workflows: "Workflows",
  steps: "Steps: slowest and most failing",
  columns: { workflow: "Workflow", runs: "Runs", failed: "Failed", p50: "p50", p95: "p95", history: "Last runs", step: "Step" },
  history: (count) => `The last ${count} ${count === 1 ? "run" : "runs"}: how long each took`,
  none: "Nothing has finished in the last hour.",
  unknown: "–",
  partial: (counted) => `of the newest ${counted} executions`,
  notThere: (message) => `The figures could not be read: ${message}`,
  trouble: (message) => `The figures are not up to date: ${message}`,
};
