/** A digest of what `nft -j list table` prints that stays the same while nobody changes the table. */
import { asObjects, asText, isObject, type JsonObject } from "./json.ts";

/** FNV-1a (32 bits, over UTF-16 units), once from each of two offsets: 64 bits as hexadecimal. Against drift, not against an enemy. */
export function digest(text: string): string {
  let a = 0x811c9dc5;
  let b = 0x9747b28c;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit ^ (b >>> 15), 0x85ebca6b);
  }
  return [a, b].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}

/** Sets that packets fill: rules name them as `{"set": {"op": "add", "set": "@name"}}`; nft 1.0.6 does not print their flag. */
function filledByPackets(value: unknown, names = new Set<string>()): Set<string> {
  if (Array.isArray(value)) {
    for (const item of value) filledByPackets(item, names);
  } else if (isObject(value)) {
    for (const kind of ["set", "map"]) {
      const statement = value[kind];
      const name = isObject(statement) && "op" in statement ? asText(statement[kind]) : undefined;
      if (name?.startsWith("@") === true) names.add(name.slice(1));
    }
    for (const item of Object.values(value)) filledByPackets(item, names);
  }
  return names;
}

function isDynamic(set: JsonObject, filled: ReadonlySet<string>): boolean {
  const flags = set["flags"];
  const has = (flag: string): boolean => flags === flag || (Array.isArray(flags) && flags.includes(flag));
  return has("dynamic") || has("timeout") || filled.has(asText(set["name"]) ?? "");
}

/** What changes by itself: counters, what a quota has used, when an element expires; and handles, which only number things. */
const PASSING = new Set(["handle", "packets", "used", "expires", "last"]);

/** The listing without what changes by itself, as text. Throws SyntaxError for what is no JSON. */
export function stableListing(json: string): string {
  const listing: unknown = JSON.parse(json);
  const filled = filledByPackets(listing);
  const objects = asObjects(isObject(listing) ? listing["nftables"] : undefined).filter((object) => !("metainfo" in object));
  return JSON.stringify(objects, function (this: unknown, key: string, value: unknown) {
    if (PASSING.has(key)) return undefined;
    // A quota has `bytes` too, and those are what somebody asked for.
    if (key === "bytes" && isObject(this) && "packets" in this) return undefined;
    if ((key === "set" || key === "map") && isObject(value) && isDynamic(value, filled)) return { ...value, elem: undefined };
    return value;
  });
}
