import { type ComponentType, type ReactElement, type ReactNode, useEffect, useState } from "react";

/**
 * A component whose code is loaded when it is first shown; *waiting* stands in its place. If that fails
 * (the network is away, the gateway has a newer page by now), it says so, and tries again when asked.
 */
export function later<P extends object>(load: () => Promise<ComponentType<P>>, waiting: ReactNode = null): (props: P) => ReactElement {
  let loaded: ComponentType<P> | null = null;
  return function Later(props: P) {
    const [, setLoaded] = useState(loaded !== null);
    const [failed, setFailed] = useState(false);
    useEffect(() => {
      if (loaded !== null || failed) return;
      load().then((component) => setLoaded(((loaded = component), true)), () => setFailed(true));
    }, [failed]);
    if (loaded !== null) {
      const Loaded = loaded;
      return <Loaded {...props} />;
    }
    return failed ? <NotLoaded again={() => setFailed(false)} /> : <>{waiting}</>;
  };
}

function NotLoaded({ again }: { readonly again: () => void }): ReactElement {
  return (
    <p className="runtail not-loaded" role="alert">
      This part of the page could not be loaded.{" "}
      <button type="button" className="runtail-textual" onClick={again}>
        Try again
      </button>{" "}
      or{" "}
      <button type="button" className="runtail-textual" onClick={() => location.reload()}>
        reload the page
      </button>
      .
    </p>
  );
}
