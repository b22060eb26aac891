/** Runs and plan as rows of a tree: attempts of one step are one row. Pure. */

import { type ExecutionView, isOpen, type StepCounts, type StepRun } from "./view.ts";

export interface StepRow {
  /** Unique, and the same from one view to the next. */
  readonly key: string;
  readonly name: string;
  readonly type: string | null;
  /** 0: at the top. */
  readonly depth: number;
  /** Its attempts, oldest first; none: it has not begun. */
  readonly tries: readonly StepRun[];
  readonly status: string;
  readonly children: number;
  readonly counts: StepCounts | null;
}

/** Deeper ones are shown as deep as this. */
const MOST_DEPTH = 12;

interface Node {
  readonly tries: StepRun[];
  readonly children: Node[];
}

/** The rows of *view*, parents before their children; planned steps that have not begun come last. */
export function stepRows(view: ExecutionView): readonly StepRow[] {
  const rows: StepRow[] = [];
  const add = (nodes: readonly Node[], depth: number): void => {
    for (const node of nodes) {
      rows.push(begunRow(node, depth, view));
      add(node.children, depth + 1);
    }
  };
  add(forest(view.runs), 0);
  const begun = new Set(rows.map(({ name }) => name));
  for (const { name, type } of view.plan?.steps ?? []) {
    if (!begun.has(name)) rows.push({ key: `plan ${name}`, name, type, depth: 0, tries: [], status: "pending", children: 0, counts: null });
  }
  return rows;
}

function begunRow({ tries, children }: Node, depth: number, view: ExecutionView): StepRow {
  const [first, last] = [tries[0]!, tries.at(-1)!];
  return {
    key: first.id,
    name: first.name,
    type: first.type,
    depth: Math.min(depth, MOST_DEPTH),
    tries,
    status: last.status,
    children: children.length,
    counts: view.counts.get(first.name) ?? null,
  };
}

/** Runs by their parents. A parent that is not known, or is within its own child, is none. */
function forest(runs: ExecutionView["runs"]): readonly Node[] {
  const nodes = new Map<string, Node>();
  const roots: Node[] = [];
  const ordered = [...runs.values()].sort((a, b) => a.firstSeq - b.firstSeq);
  for (const run of ordered) {
    const parent = run.parentId === null ? undefined : nodes.get(run.parentId);
    const siblings = parent === undefined ? roots : parent.children;
    const before = siblings.findLast(({ tries }) => tries[0]!.name === run.name);
    if (before !== undefined && followsOn(before.tries.at(-1)!, run)) {
      before.tries.push(run);
      nodes.set(run.id, before);
    } else {
      const node = { tries: [run], children: [] };
      siblings.push(node);
      nodes.set(run.id, node);
    }
  }
  return roots;
}

/** Whether *run* is the next attempt of what *before* was one of. */
const followsOn = (before: StepRun, run: StepRun): boolean =>
  before.status === "retried" || (run.attempt !== null && before.attempt !== null && run.attempt === before.attempt + 1 && !isOpen(before));

/** The newest line that tells of the row, or where it begins; null: nowhere. */
export const lineOf = ({ tries }: StepRow): number | null => tries[0]?.firstSeq ?? null;

export const beganAt = ({ tries }: StepRow): number | null => tries[0]?.startedAt ?? null;

/** How long it has taken at *now*, with all its attempts; null: not known. */
export function tookMs(row: StepRow, now: number | null): number | null {
  const [first, last] = [row.tries[0], row.tries.at(-1)];
  if (first === undefined || last === undefined) return null;
  if (row.tries.length === 1 && last.durationMs !== null) return last.durationMs;
  const end = last.endedAt ?? (isOpen(last) ? now : null);
  return first.startedAt === null || end === null ? null : Math.max(0, end - first.startedAt);
}

/** How many of the rows at the top are over, of how many. Where the run *failed*, what was skipped was not done. */
export function doneOf(rows: readonly StepRow[], failed: boolean): { readonly done: number; readonly total: number } {
  const top = rows.filter(({ depth }) => depth === 0);
  return { done: top.filter(({ status }) => status === "completed" || (status === "skipped" && !failed)).length, total: top.length };
}
