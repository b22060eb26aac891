import { render, screen } from "@testing-library/react";
import { version } from "react";
import { version as domVersion } from "react-dom";
import { expect, test } from "vitest";

test("each project runs with the React it is named for", ({ task }) => {
  const wanted = task.file.projectName === "react-18" ? "18." : "19.";
  expect(version.slice(0, 3)).toBe(wanted);
  expect(domVersion.slice(0, 3)).toBe(wanted);
  render(<p>{version}</p>);
  expect(screen.getByText(version)).toBeTruthy();
});
