import { FigureStrip, type FigureStripProps, useFigures, useMedians } from "@runtail/react";
import { type ReactElement, useEffect } from "react";

export interface FigurePanelProps extends Pick<FigureStripProps, "running" | "open" | "onOpen" | "onWorkflow"> {
  /** Told how long each workflow usually takes, in ms. */
  readonly onMedians: (medians: ReadonlyMap<string, number>) => void;
}

/** The figures, asked for after the list. */
export function FigurePanel({ onMedians, ...shown }: FigurePanelProps): ReactElement {
  const held = useFigures();
  const medians = useMedians();
  useEffect(() => onMedians(medians), [medians, onMedians]);
  return <FigureStrip {...held} {...shown} />;
}
