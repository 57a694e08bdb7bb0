/** The rules of DESIGN's "The house", checked on a graph of imports. */

/** Paths relative to src/ (`home/states.ts`), each with what it imports: such paths, or a package's name. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

/** From the top; a folder imports folders of its own layer or of those below. */
export const LAYERS: readonly (readonly string[])[] = [
  ["main.ts", "main-router.ts"],
  ["cli"],
  ["home", "relay", "gateway"],
  [
    "config",
    "uci-parser",
    "netifd",
    "ubus-client",
    "plan",
    "link",
    "invite",
    "pki",
    "kernel",
    "process",
    "openvpn",
    "proxy",
    "doctor",
    "control",
  ],
  ["host"],
];
const ROLES = 2;
/** Of use to anyone: they know nothing of Binder. */
const ALONE = new Set(["uci-parser", "ubus-client", "host"]);
/** The bundle's alias for the engine. */
const ENGINE = "#host";
/** The one package that code outside host/ may import. */
const PACKAGES = new Set(["mri"]);

const folderOf = (path: string): string => path.split("/")[0] ?? path;
const isSource = (path: string): boolean => path.endsWith(".ts");

function layerOf(path: string): number {
  return LAYERS.findIndex((folders) => folders.includes(folderOf(path)));
}

/** What is wrong with the graph, a sentence each; none if it keeps the rules. */
export function violations(graph: ImportGraph): string[] {
  const found: string[] = [];
  const folders = new Map<string, Set<string>>();
  for (const [from, imports] of graph) {
    const [folder, layer] = [folderOf(from), layerOf(from)];
    if (layer < 0) found.push(`${from}: its folder is in no layer`);
    const targets = folders.get(folder) ?? new Set<string>();
    folders.set(folder, targets);
    for (const to of imports) {
      if (to === ENGINE) {
        if (layer !== 0) found.push(`${from} imports ${ENGINE}: main.ts alone makes the host`);
      } else if (!isSource(to)) {
        if (folder !== "host" && !PACKAGES.has(to)) found.push(`${from} imports ${to}: only host/ touches the system or a package`);
      } else if (folderOf(to) !== folder) {
        targets.add(folderOf(to));
        if (layerOf(to) < layer) found.push(`${from} imports ${to}: upwards`);
        if (layer === ROLES && layerOf(to) === ROLES) found.push(`${from} imports ${to}: a role imports another`);
        if (ALONE.has(folder)) found.push(`${from} imports ${to}: ${folder}/ stands alone`);
        if (folderOf(to) === "host" && to !== "host/types.ts") found.push(`${from} imports ${to}: of host/ only types.ts is for others`);
      }
    }
  }
  for (const cycle of cycles(graph)) found.push(`files in a circle: ${cycle.join(" > ")}`);
  const byFolder = new Map([...folders].map(([folder, targets]) => [folder, [...targets]]));
  for (const cycle of cycles(byFolder)) found.push(`folders in a circle: ${cycle.join(" > ")}`);
  return found;
}

/** One circle for each group of nodes that can reach each other, its first node repeated at its end. */
function cycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (node: string): void => {
    const start = path.indexOf(node);
    if (start >= 0) found.push([...path.slice(start), node]);
    if (start >= 0 || done.has(node)) return;
    path.push(node);
    for (const next of graph.get(node) ?? []) visit(next);
    path.pop();
    done.add(node);
  };
  for (const node of graph.keys()) visit(node);
  return found;
}
