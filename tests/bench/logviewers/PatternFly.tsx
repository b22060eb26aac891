import "@patternfly/react-core/dist/styles/base.css";
import { LogViewer } from "@patternfly/react-log-viewer";
import { useEffect, useRef, useState } from "react";
import { line, live, textUrl } from "./log.ts";

/** As its examples have it: an array of lines, and `scrollToBottom` after each that came. */
export function PatternFly() {
  const [data, setData] = useState<string[]>([]);
  const log = useRef<{ scrollToBottom(): void }>(null);
  useEffect(() => {
    void fetch(textUrl).then((answer) => answer.text()).then((text) => setData(text.trimEnd().split("\n")));
    live((lines) => setData((before) => before.concat(lines)));
  }, []);
  useEffect(() => {
    if (line === null && data.length > 0) log.current?.scrollToBottom();
  }, [data]);
  return <LogViewer ref={log} data={data} height="100vh" {...(line === null ? {} : { scrollToRow: line })} />;
}
