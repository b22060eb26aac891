import { createRoot } from "react-dom/client";
import { ExecutionLogViewer, RuntailProvider } from "@runtail/react";
import "@runtail/react/styles.css";

createRoot(document.getElementById("root")!).render(
  <RuntailProvider url="http://localhost:8000" token={() => sessionStorage.getItem("token")}>
    <main style={{ height: 480 }}>
      <ExecutionLogViewer executionId="nightly-1" />
    </main>
  </RuntailProvider>,
);
