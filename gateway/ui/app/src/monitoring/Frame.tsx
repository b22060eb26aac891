import type { ReactElement, ReactNode } from "react";
import { Brand } from "./Brand.tsx";

export interface FrameProps {
  readonly base: string;
  /** Without the bar: the page is a part of another one. */
  readonly embed: boolean;
  /** What stands in the bar, behind the name. */
  readonly bar?: ReactNode;
  readonly children: ReactNode;
}

/** The bar above, and the page under it. */
export function Frame({ base, embed, bar, children }: FrameProps): ReactElement {
  return (
    <div className="page runtail" data-embed={embed}>
      {!embed && (
        <header className="runtail-bar">
          <Brand base={base} />
          {bar}
        </header>
      )}
      {children}
    </div>
  );
}
