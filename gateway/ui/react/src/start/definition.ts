/** A workflow to try out, as the form holds it and as the gateway takes it. Pure. */

/** Each step is simulated: nothing is run. */
export interface WorkflowDefinition {
  readonly name?: string;
  readonly steps: readonly StepDefinition[];
}

export interface StepDefinition {
  readonly name: string;
  /** Names of steps that end before this one begins. */
  readonly after?: readonly string[];
  readonly seconds?: number;
  readonly logs_per_second?: number;
  /** Chance that an attempt fails: 0 … 1. */
  readonly failure?: number;
}

/** A step as it is typed. */
export interface Draft {
  readonly name: string;
  readonly after: string;
  readonly seconds: string;
  readonly rate: string;
  /** In per cent. */
  readonly failure: string;
}

/** Fields of a step as the gateway names them, and as the form does. */
export const FIELDS = { name: "name", after: "after", seconds: "seconds", logs_per_second: "rate", failure: "failure" } as const;

export type Field = (typeof FIELDS)[keyof typeof FIELDS];

export const SAMPLE: readonly Draft[] = [
  { name: "extract", after: "", seconds: "4", rate: "5", failure: "0" },
  { name: "transform", after: "extract", seconds: "6", rate: "10", failure: "0" },
  { name: "check", after: "extract", seconds: "3", rate: "2", failure: "30" },
  { name: "load", after: "transform, check", seconds: "4", rate: "5", failure: "0" },
];

/** One more step, which waits for the one before it. */
export const nextDraft = (drafts: readonly Draft[]): Draft => ({
  name: `step ${drafts.length + 1}`, after: drafts.at(-1)?.name ?? "", seconds: "3", rate: "5", failure: "0",
});

// What is no number goes as it was typed: the gateway says what is wrong with it, and where.
const numberOf = (text: string): number => (text.trim() === "" || Number.isNaN(Number(text)) ? (text as unknown as number) : Number(text));

export function definitionOf(name: string, drafts: readonly Draft[]): WorkflowDefinition {
  const steps = drafts.map(({ name: step, after, seconds, rate, failure }): StepDefinition => {
    const percent = numberOf(failure);
    return {
      name: step.trim(),
      after: after.split(",").map((one) => one.trim()).filter((one) => one !== ""),
      seconds: numberOf(seconds),
      logs_per_second: numberOf(rate),
      failure: typeof percent === "number" ? percent / 100 : percent,
    };
  });
  return name.trim() === "" ? { steps } : { name: name.trim(), steps };
}

/** Which step and field of the form the gateway's *path* means; null: the definition as a whole. */
export function placeOf(path: string): { readonly step: number; readonly field: Field | null } | null {
  const [, step, field = ""] = /^steps\[(\d+)\](?:\.(\w+))?/.exec(path) ?? [];
  if (step === undefined) return null;
  return { step: Number(step), field: Object.hasOwn(FIELDS, field) ? FIELDS[field as keyof typeof FIELDS] : null };
}

/** Read a pasted definition; throws SyntaxError that says where it is no JSON. */
export function parsed(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new SyntaxError(placed(error instanceof Error ? error.message : String(error), text));
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new SyntaxError('it is not an object, expected {"steps": [ … ]}');
  return value as Readonly<Record<string, unknown>>;
}

/** *message* of a JSON parser, with the line in place of the position. */
function placed(message: string, text: string): string {
  const [, position] = /position (\d+)/.exec(message) ?? [];
  if (position === undefined || /line \d+/.test(message)) return message;
  const before = text.slice(0, Number(position)).split("\n");
  return `${message} (line ${before.length} column ${(before.at(-1)?.length ?? 0) + 1})`;
}
