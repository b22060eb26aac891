import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { viewer } from "./log.ts";
import { Melloware } from "./Melloware.tsx";
import { PatternFly } from "./PatternFly.tsx";

createRoot(document.getElementById("root")!).render(createElement(viewer === "melloware" ? Melloware : PatternFly));
