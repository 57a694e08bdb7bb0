/** A value that OpenVPN's configuration file cannot carry. */
export class OpenvpnTextError extends Error {
  override readonly name = "OpenvpnTextError";
}

/**
 * One line of an OpenVPN configuration file: the directive and its arguments, quoted where they must be (openvpn(8), "--config":
 * double quotes, backslash escapes). Throws OpenvpnTextError on control characters, which no quoting carries.
 */
export function directive(name: string, ...args: readonly (string | number)[]): string {
  if (!/^[a-z][a-z0-9-]*$/.test(name)) throw new OpenvpnTextError(`"${name}" is no directive of OpenVPN`);
  return [name, ...args.map((value) => quote(String(value)))].join(" ");
}

function quote(value: string): string {
  for (const character of value) {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20 || code === 0x7f) throw new OpenvpnTextError(`OpenVPN's configuration can't carry control character ${code}`);
  }
  if (/^[A-Za-z0-9_./:@%+=,-]+$/.test(value)) return value;
  return `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
