import { type Figures, FigureStrip, type FigureStripProps, useFigures } from "@runtail/react";
import { type ReactElement, useEffect } from "react";

export interface FigurePanelProps extends Pick<FigureStripProps, "running" | "open" | "onOpen" | "onWorkflow"> {
  readonly onFigures: (figures: Figures) => void;
}

/** The figures, asked for after the list. */
export function FigurePanel({ onFigures, ...shown }: FigurePanelProps): ReactElement {
  const held = useFigures();
  const { figures } = held;
  useEffect(() => {
    if (figures !== null) onFigures(figures);
  }, [figures, onFigures]);
  return <FigureStrip {...held} {...shown} />;
}
