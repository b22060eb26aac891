import { createRoot } from "react-dom/client";
import "./monitoring.css";

createRoot(document.getElementById("root")!).render(<h1>runtail</h1>);
