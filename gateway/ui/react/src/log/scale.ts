/**
 * Browsers cap the height of an element near 33 million pixels (Firefox near 17 million). Beyond a bound
 * the scroll bar stands for more than it is long: true to the pixel near both ends, compressed between. Pure.
 */

export const MOST_PIXELS = 12_000_000;

/** How far one can scroll: in the log, and in the browser's element. */
export interface Scale {
  readonly virtual: number;
  readonly physical: number;
}

export function scaleOf(total: number, viewport: number, most: number = MOST_PIXELS): Scale {
  const virtual = Math.max(0, total - viewport);
  return { virtual, physical: Math.min(virtual, Math.max(0, most - viewport)) };
}

export function toPhysical({ virtual, physical }: Scale, top: number): number {
  if (virtual <= physical) return top;
  const even = physical / 4;
  if (top <= even) return top;
  if (top >= virtual - even) return physical - (virtual - top);
  return even + ((top - even) * (physical - 2 * even)) / (virtual - 2 * even);
}

export function toVirtual({ virtual, physical }: Scale, place: number): number {
  if (virtual <= physical) return place;
  const even = physical / 4;
  if (place <= even) return place;
  if (place >= physical - even) return virtual - (physical - place);
  return even + ((place - even) * (virtual - 2 * even)) / (physical - 2 * even);
}

/**
 * Where the log's top is after the element scrolled from *before* to *after*. Wheel and touch move by
 * as many pixels as they say; the scroll bar's thumb, and any leap, go to the place they stand for.
 */
export function moved(scale: Scale, top: number, before: number, after: number, leap: boolean): number {
  if (scale.virtual <= scale.physical || leap) return toVirtual(scale, after);
  if (after <= 0) return 0;
  if (after >= scale.physical - 1) return scale.virtual;
  return Math.max(0, Math.min(scale.virtual, top + after - before));
}
