/** A value that nft's text cannot carry. */
export class NftTextError extends Error {
  override readonly name = "NftTextError";
}

/** A network device's name as nft wants it. Linux takes nearly anything for a name; Binder takes what needs no thought. */
export function nftDevice(name: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/.test(name)) throw new NftTextError(`"${name}" is no device name that nft's text can carry`);
  return `"${name}"`;
}

/** An IPv4 address or prefix. */
export function nftAddress(text: string): string {
  if (!/^[0-9]{1,3}(\.[0-9]{1,3}){3}(\/[0-9]{1,2})?$/.test(text)) throw new NftTextError(`"${text}" is no IPv4 address or prefix`);
  return text;
}

export function nftMac(text: string): string {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) throw new NftTextError(`"${text}" is no MAC address`);
  return text;
}

/** Eight hexadecimal digits, as nft prints marks. */
export function nftMark(value: number): string {
  return `0x${(value >>> 0).toString(16).padStart(8, "0")}`;
}

/** `set NAME { … }`, also when it is empty (which nft wants without `elements`). */
export function nftSet(name: string, type: string, elements: readonly string[], flags = ""): readonly string[] {
  return [
    `set ${name} {`,
    `type ${type}`,
    ...(flags === "" ? [] : [`flags ${flags}`, "auto-merge"]),
    ...(elements.length === 0 ? [] : [`elements = { ${elements.join(", ")} }`]),
    "}",
  ];
}

/** `chain NAME { … }`; `hook` is `type filter hook input priority filter; policy accept;` or absent for a chain that is jumped to. */
export function nftChain(name: string, hook: string | undefined, rules: readonly string[]): readonly string[] {
  return [`chain ${name} {`, ...(hook === undefined ? [] : [hook]), ...rules, "}"];
}
