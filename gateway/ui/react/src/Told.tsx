import type { ReactElement } from "react";
import { visible } from "./log/visible.ts";

/** Longer words are for the log, not for a heading. */
const MOST_CHARACTERS = 2_000;

/** *text* from outside as it may be shown: what would act on the screen is seen instead; bounded. */
export function told(text: string): string {
  return visible(text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text);
}

export interface ToldProps {
  readonly text: string;
  readonly className: string;
  /** Whether all of it is shown to who points at it: it may be cut by its place. */
  readonly titled?: boolean;
}

/** Words of somebody else: their direction is their own affair. */
export function Told({ text, className, titled = false }: ToldProps): ReactElement {
  const words = told(text);
  return (
    <bdi className={className} {...(titled ? { title: words } : {})}>
      {words}
    </bdi>
  );
}
