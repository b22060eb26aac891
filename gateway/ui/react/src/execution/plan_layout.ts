/**
 * A plan as a drawing in layers: each step below all that it comes after. Pure.
 *
 * Layers by the longest way; within a layer, by where the neighbours are (a few sweeps). A long edge passes
 * each layer between at a place of its own, so that it does not cross steps. Circles are cut where they close.
 */

import type { PlannedStep } from "./view.ts";

export interface Size {
  readonly width: number;
  readonly height: number;
  readonly gapX: number;
  readonly gapY: number;
}

export interface PlacedStep {
  readonly name: string;
  readonly layer: number;
  /** Within its layer, from 0. */
  readonly place: number;
  /** Left and top. */
  readonly x: number;
  readonly y: number;
}

export interface PlacedEdge {
  readonly from: string;
  readonly to: string;
  /** An SVG path. */
  readonly path: string;
}

export interface PlanLayout {
  readonly steps: readonly PlacedStep[];
  readonly edges: readonly PlacedEdge[];
  readonly width: number;
  readonly height: number;
  /** Most steps beside each other. */
  readonly broadest: number;
}

interface Spot {
  readonly name: string | null; // null: an edge passes here
  readonly layer: number;
  readonly above: Spot[];
  readonly below: Spot[];
  x: number; // of its middle
}

const SWEEPS = 8;
const ALIGNINGS = 25; // odd: the last goes down
const PASSAGE = 12;

export function planLayout(plan: readonly PlannedStep[], size: Size): PlanLayout {
  const after = dependencies(plan);
  const layerOf = layersOf(plan, after);
  const spots = new Map<string, Spot>(plan.map(({ name }) => [name, spot(name, layerOf.get(name)!)]));
  const layers: Spot[][] = [];
  for (const each of spots.values()) (layers[each.layer] ??= []).push(each);
  const ways = plan.flatMap(({ name }) => after.get(name)!.map((from) => ({ from, to: name, way: wayOf(spots.get(from)!, spots.get(name)!, layers) })));
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) ordered(layers, sweep % 2 === 0);
  for (const layer of layers) spread(layer, size);
  for (let sweep = 0; sweep < ALIGNINGS; sweep += 1) aligned(sweep % 2 === 0 ? layers : [...layers].reverse(), size);
  return drawn(layers, ways, size);
}

const spot = (name: string | null, layer: number): Spot => ({ name, layer, above: [], below: [], x: 0 });

/** What each step comes after, as far as it is in the plan, and without what would close a circle. */
function dependencies(plan: readonly PlannedStep[]): ReadonlyMap<string, readonly string[]> {
  const named = new Map(plan.map((step) => [step.name, step]));
  const kept = new Map<string, string[]>(plan.map(({ name }) => [name, []]));
  const state = new Map<string, "open" | "done">();
  const visit = (name: string): void => {
    state.set(name, "open");
    for (const before of new Set(named.get(name)!.after)) {
      if (!named.has(before) || state.get(before) === "open") continue;
      kept.get(name)!.push(before);
      if (!state.has(before)) visit(before);
    }
    state.set(name, "done");
  };
  for (const { name } of plan) if (!state.has(name)) visit(name);
  return kept;
}

function layersOf(plan: readonly PlannedStep[], after: ReadonlyMap<string, readonly string[]>): ReadonlyMap<string, number> {
  const layers = new Map<string, number>();
  const layer = (name: string): number => {
    const known = layers.get(name);
    if (known !== undefined) return known;
    const own = Math.max(-1, ...after.get(name)!.map(layer)) + 1;
    layers.set(name, own);
    return own;
  };
  for (const { name } of plan) layer(name);
  return layers;
}

/** The spots from *from* to *to*, one a layer. */
function wayOf(from: Spot, to: Spot, layers: Spot[][]): readonly Spot[] {
  const way = [from];
  for (let layer = from.layer + 1; layer < to.layer; layer += 1) {
    const passage = spot(null, layer);
    layers[layer]!.push(passage);
    way.push(passage);
  }
  way.push(to);
  for (let at = 1; at < way.length; at += 1) {
    way[at - 1]!.below.push(way[at]!);
    way[at]!.above.push(way[at - 1]!);
  }
  return way;
}

function ordered(layers: Spot[][], down: boolean): void {
  const places = new Map<Spot, number>();
  const number = (layer: readonly Spot[]): void => layer.forEach((each, at) => places.set(each, at / Math.max(1, layer.length - 1)));
  layers.forEach(number);
  for (const layer of down ? layers : [...layers].reverse()) {
    const wish = new Map(layer.map((each) => [each, mean((down ? each.above : each.below).map((other) => places.get(other)!), places.get(each)!)]));
    layer.sort((a, b) => wish.get(a)! - wish.get(b)!);
    number(layer);
  }
}

const mean = (values: readonly number[], otherwise: number): number =>
  values.length === 0 ? otherwise : values.reduce((sum, value) => sum + value, 0) / values.length;

const widthOf = ({ name }: Spot, { width }: Size): number => (name === null ? PASSAGE : width);

const apart = (a: Spot, b: Spot, size: Size): number => (widthOf(a, size) + widthOf(b, size)) / 2 + size.gapX;

/** Side by side, around 0. */
function spread(layer: readonly Spot[], size: Size): void {
  layer.forEach((each, at) => (each.x = at === 0 ? 0 : layer[at - 1]!.x + apart(layer[at - 1]!, each, size)));
  const middle = (layer[0]!.x + layer.at(-1)!.x) / 2;
  for (const each of layer) each.x -= middle;
}

/** Move each towards the middle of its neighbours, as far as those beside it let it. */
function aligned(layers: readonly Spot[][], size: Size): void {
  for (const layer of layers) {
    const wishes = layer.map((each) => mean([...each.above, ...each.below].map(({ x }) => x), each.x));
    layer.forEach((each, at) => (each.x = Math.max(wishes[at]!, at === 0 ? -Infinity : layer[at - 1]!.x + apart(layer[at - 1]!, each, size))));
    // pushed to the right together: half of it back
    const shift = mean(layer.map((each, at) => each.x - wishes[at]!), 0);
    for (const each of layer) each.x -= shift;
  }
}

function drawn(layers: readonly Spot[][], ways: readonly { from: string; to: string; way: readonly Spot[] }[], size: Size): PlanLayout {
  const all = layers.flat();
  const left = Math.min(0, ...all.map((each) => each.x - widthOf(each, size) / 2));
  const right = Math.max(0, ...all.map((each) => each.x + widthOf(each, size) / 2));
  for (const each of all) each.x -= left;
  const top = (layer: number): number => layer * (size.height + size.gapY);
  const steps = layers.flatMap((layer, at) =>
    layer.filter(({ name }) => name !== null).map((each, place) => ({ name: each.name!, layer: at, place, x: Math.round(each.x - size.width / 2), y: top(at) })),
  );
  return {
    steps,
    edges: ways.map(({ from, to, way }) => ({ from, to, path: pathOf(way, top, size) })),
    width: Math.round(right - left),
    height: Math.max(0, top(layers.length) - size.gapY),
    broadest: Math.max(0, ...layers.map((layer) => layer.filter(({ name }) => name !== null).length)),
  };
}

/** From the lower edge of the first to the upper edge of the last, curved between layers. */
function pathOf(way: readonly Spot[], top: (layer: number) => number, { height, gapY }: Size): string {
  const x = (each: Spot): number => Math.round(each.x);
  let path = `M${x(way[0]!)} ${top(way[0]!.layer) + height}`;
  for (let at = 1; at < way.length; at += 1) {
    const [before, each] = [way[at - 1]!, way[at]!];
    const y = top(each.layer);
    const middle = y - gapY / 2;
    path += x(before) === x(each) ? `V${y}` : `C${x(before)} ${middle} ${x(each)} ${middle} ${x(each)} ${y}`;
    if (each.name === null) path += `V${y + height}`;
  }
  return path;
}
