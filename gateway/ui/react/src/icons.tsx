import type { ReactElement } from "react";

/** The shapes of the icons, on a grid of 16; drawn by lines in the colour of the text. */
const SHAPES = {
  pending: [<circle key="a" cx="8" cy="8" r="6" strokeDasharray="2.5 2.2" />],
  running: [<path key="a" d="M8 2a6 6 0 1 1-6 6" />],
  completed: [<circle key="a" cx="8" cy="8" r="6" />, <path key="b" d="m5.3 8.2 1.9 1.9 3.6-4" />],
  failed: [<circle key="a" cx="8" cy="8" r="6" />, <path key="b" d="m5.9 5.9 4.2 4.2m0-4.2-4.2 4.2" />],
  cancelled: [<circle key="a" cx="8" cy="8" r="6" />, <path key="b" d="M5.2 8h5.6" />],
  stalled: [<circle key="a" cx="8" cy="8" r="6" />, <path key="b" d="M6.4 5.8v4.4m3.2-4.4v4.4" />],
  lost: [<path key="a" d="M8 2.2 14.3 13.4H1.7Z" />, <path key="b" d="M8 6.5v3.2m0 1.6v.2" />],
  unknown: [<circle key="a" cx="8" cy="8" r="6" />, <path key="b" d="M8 8h.01" />],
  start: [<path key="a" d="M5 3.2v9.6L12.6 8Z" />],
  close: [<path key="a" d="m4 4 8 8m0-8-8 8" />],
  copy: [
    <rect key="a" x="5.5" y="5.5" width="8" height="8" rx="1.5" />,
    <path key="b" d="M3 10.5a.9.9 0 0 1-.5-.8V3.4c0-.5.4-.9.9-.9h6.3c.3 0 .6.2.8.5" />,
  ],
  folded: [<path key="a" d="m6 4 4 4-4 4" />],
  search: [<circle key="a" cx="7" cy="7" r="4.4" />, <path key="b" d="m10.4 10.4 3.2 3.2" />],
  bell: [<path key="a" d="M3.5 11.5h9c-1-1-1.2-2-1.2-4.2a3.3 3.3 0 0 0-6.6 0c0 2.2-.2 3.2-1.2 4.2Z" />, <path key="b" d="M6.8 13.6h2.4" />],
  up: [<path key="a" d="m4.5 9.5 3.5-4 3.5 4" />],
  down: [<path key="a" d="m4.5 6.5 3.5 4 3.5-4" />],
  share: [<path key="a" d="M6.4 9.6 13 3M9 2.8h4.2V7" />, <path key="b" d="M11.5 9.5v3a1 1 0 0 1-1 1h-7a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1h3" />],
  stop: [<rect key="a" x="3.5" y="3.5" width="9" height="9" rx="1.5" />],
  people: [<circle key="a" cx="6" cy="5.4" r="2.4" />, <path key="b" d="M1.8 13c.3-2.5 2-3.8 4.2-3.8s3.9 1.3 4.2 3.8M10.6 3.2a2.3 2.3 0 0 1 0 4.4m1.6 2c1.2.5 1.9 1.7 2.1 3.4" />],
  note: [<path key="a" d="M3 13.2V10.6l7.8-7.8 2.6 2.6-7.8 7.8Z" />],
  reconnect: [<path key="a" d="M13.2 6.5A5.5 5.5 0 1 0 13 10.2" />, <path key="b" d="M13.6 2.8v3.8H9.8" />],
} as const;

export type IconName = keyof typeof SHAPES;

/** A picture beside words that say the same: nothing of its own to a screen reader. */
export function Icon({ name }: { readonly name: IconName }): ReactElement {
  return (
    <svg className="runtail-icon" data-icon={name} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {SHAPES[name]}
    </svg>
  );
}
