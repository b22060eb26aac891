import type { ReactElement } from "react";

export interface BrandProps {
  /** The path before `/monitoring`. */
  readonly base: string;
}

export function Brand({ base }: BrandProps): ReactElement {
  return (
    <a className="brand" href={`${base}/monitoring`}>
      <img src={`${base}/monitoring/favicon.svg`} width="26" height="26" alt="" />
      <h1>runtail</h1>
      <span className="tagline">watch a workflow run while it runs</span>
    </a>
  );
}
