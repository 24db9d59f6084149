// Dark or light: the system's wish until the person chooses.
import { signal } from "@preact/signals";

export type Theme = "light" | "dark";
const system = matchMedia("(prefers-color-scheme: dark)");
function stored(): Theme | null {
  try {
    const value = localStorage.getItem("rondo.theme");
    return value === "dark" || value === "light" ? value : null;
  } catch {
    return null; // storage is blocked: follow the system
  }
}
export const theme = signal<Theme>(stored() ?? (system.matches ? "dark" : "light"));
theme.subscribe((value) => {
  document.documentElement.dataset["theme"] = value;
});
system.addEventListener("change", () => {
  if (!stored()) theme.value = system.matches ? "dark" : "light";
});
export function toggleTheme(): void {
  theme.value = theme.value === "dark" ? "light" : "dark";
  try {
    localStorage.setItem("rondo.theme", theme.value);
  } catch {
    // lasts for this page only
  }
}
