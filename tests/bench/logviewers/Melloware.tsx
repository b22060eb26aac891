import { LazyLog } from "@melloware/react-logviewer";
import { useEffect, useRef } from "react";
import { line, live, textUrl } from "./log.ts";

/** As its README has it: `url` with `stream` for what is long, `follow`, and `appendLines` for what comes. */
export function Melloware() {
  const log = useRef<LazyLog>(null);
  useEffect(() => live((lines) => log.current?.appendLines(lines)), []);
  useEffect(() => {
    if (line === null) return undefined;
    // `scrollToLine` does nothing for a line that is not there yet, and `onLoad` is not called
    const timer = setInterval(() => {
      if ((log.current?.state.count ?? 0) <= line) return;
      log.current?.handleScrollToLine(line + 1); // the line itself would be below the edge
      clearInterval(timer);
    }, 20);
    return () => clearInterval(timer);
  }, []);
  // not in `ScrollFollow`, which takes the scrolling of `follow` for the reader's, and leaves off after the first lines
  return <LazyLog ref={log} url={textUrl} stream follow={line === null} />;
}
