// The left list: the lifecycle in its order.
import type { IconName } from "../components/Icon";

export const places: { name: string; href: string; icon: IconName; key: string }[] = [
  { name: "Loop", href: "/", icon: "loop", key: "l" },
  { name: "Data", href: "/data", icon: "data", key: "d" },
  { name: "Runs", href: "/runs", icon: "runs", key: "r" },
  { name: "Models", href: "/models", icon: "models", key: "m" },
  { name: "Serving", href: "/serving", icon: "serving", key: "s" },
  { name: "Monitor", href: "/monitor", icon: "monitor", key: "o" },
  { name: "Pipeline", href: "/pipeline", icon: "pipeline", key: "p" },
  { name: "Govern", href: "/govern", icon: "govern", key: "v" },
];

/** Which place a waiting thing or a stage belongs to. */
export const placeOfKind: Record<string, string> = { approval: "/govern", gate: "/pipeline", alarm: "/monitor", run: "/pipeline" };
