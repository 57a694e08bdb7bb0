/** Which system this is, and how things are installed on it. */

export type PackageManager = "opkg" | "apk" | "apt" | "unknown";

export interface System {
  /** For a person: `OpenWrt 24.10.0`. */
  readonly name: string;
  readonly packages: PackageManager;
}

/** `text` is /etc/os-release (os-release(5)); `hasApk`: OpenWrt 25.12 and later install with apk, earlier ones with opkg. */
export function readSystem(text: string, hasApk: boolean): System {
  const fields = new Map<string, string>();
  for (const row of text.split("\n")) {
    const [, key, value] = /^([A-Z_]+)=(.*)$/.exec(row.trim()) ?? [];
    if (key !== undefined && value !== undefined) fields.set(key, value.replace(/^(["'])(.*)\1$/, "$2"));
  }
  const families = [fields.get("ID") ?? "", ...(fields.get("ID_LIKE") ?? "").split(" ")];
  const name = fields.get("PRETTY_NAME") ?? fields.get("NAME") ?? "this system";
  if (families.includes("openwrt") || families.includes("lede")) return { name, packages: hasApk ? "apk" : "opkg" };
  if (families.includes("debian") || families.includes("ubuntu")) return { name, packages: "apt" };
  return { name, packages: "unknown" };
}

/** Names of one package on OpenWrt and Debian, and what others are likely to call it. An empty name: there is none. */
interface PackageNames {
  readonly openwrt: string;
  readonly debian: string;
  readonly other: string;
}

const names = {
  openvpn: { openwrt: "openvpn-openssl", debian: "openvpn", other: "openvpn" },
  haproxy: { openwrt: "haproxy", debian: "haproxy", other: "haproxy" },
  mptcpize: { openwrt: "mptcpize", debian: "mptcpize", other: "mptcpize (or mptcpd)" },
  nft: { openwrt: "nftables-json", debian: "nftables", other: "nftables" },
  ip: { openwrt: "ip-full", debian: "iproute2", other: "iproute2" },
  ss: { openwrt: "ss", debian: "iproute2", other: "iproute2" },
  conntrack: { openwrt: "conntrack", debian: "conntrack", other: "conntrack-tools" },
  dnsmasq: { openwrt: "dnsmasq", debian: "dnsmasq-base", other: "dnsmasq" },
  openssl: { openwrt: "openssl-util", debian: "openssl", other: "openssl" },
  modprobe: { openwrt: "", debian: "kmod", other: "kmod" },
  tun: { openwrt: "kmod-tun", debian: "", other: "" },
  nftNat: { openwrt: "kmod-nft-nat", debian: "", other: "" },
  nftFib: { openwrt: "kmod-nft-fib", debian: "", other: "" },
  nftCore: { openwrt: "kmod-nft-core", debian: "", other: "" },
  nftCount: { openwrt: "kmod-nft-connlimit", debian: "", other: "" },
  bbr: { openwrt: "kmod-tcp-bbr", debian: "", other: "" },
} as const satisfies Readonly<Record<string, PackageNames>>;

export type Need = keyof typeof names;

/** The package that brings it on this system; none where no package does, a kernel's own parts on Debian for instance. */
export function packagesFor(system: System, need: Need): readonly string[] {
  const { openwrt, debian, other } = names[need];
  const name = system.packages === "apt" ? debian : system.packages === "unknown" ? other : openwrt;
  return name === "" ? [] : [name];
}

/** What to type, or do, to install these; empty for none. Each is named once. */
export function installCommand(system: System, packages: readonly string[]): string {
  const wanted = [...new Set(packages)].sort();
  if (wanted.length === 0) return "";
  switch (system.packages) {
    case "opkg":
      return `opkg update && opkg install ${wanted.join(" ")}`;
    case "apk":
      return `apk update && apk add ${wanted.join(" ")}`;
    case "apt":
      return `apt-get update && apt-get install ${wanted.join(" ")}`;
    case "unknown":
      return `install with this system's package manager: ${wanted.join(", ")}`;
  }
}
