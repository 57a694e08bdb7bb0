import { bad, lacking, well } from "./findings.ts";
import { nftTrials } from "./nft-trials.ts";
import type { Facts, Finding } from "./types.ts";
import { atLeast, findVersion } from "./versions.ts";

const AS_ROOT = "run binder doctor as root";

/** What the kernel can do. */
export function checkKernel(facts: Facts): readonly Finding[] {
  return [
    mptcp(facts),
    ipMptcp(facts),
    policyRouting(facts),
    tun(facts),
    ...nft(facts),
    ...facts.wantedCongestion.map((name) => congestion(facts, name)),
  ];
}

function mptcp({ kernel, system }: Facts): Finding {
  const version = findVersion(kernel.release);
  if (kernel.mptcp === undefined) {
    const newer =
      system.packages === "opkg" || system.packages === "apk"
        ? "OpenWrt has it from 24.10 on, but not on devices with little flash"
        : "Linux has it from 5.6 on, where it is built with CONFIG_MPTCP";
    return bad("error", "MPTCP", `Linux ${kernel.release} has no MPTCP: gateways can't be joined`, `use another kernel: ${newer}`);
  }
  if (version !== undefined && !atLeast(version, [6, 1])) {
    return bad(
      "warning",
      "MPTCP",
      `Linux ${kernel.release} has MPTCP, but an early one`,
      "use Linux 6.1 or later if you can, best 6.6 or later",
    );
  }
  const state = kernel.mptcp === "0" ? "; off now, Binder switches it on" : "";
  return well("MPTCP", `Linux ${kernel.release} has it${state}`);
}

function ipMptcp({ kernel, programs, system, root }: Facts): Finding {
  const check = "ip mptcp";
  // The check of programs tells of that.
  if (programs.get("ip")?.kind !== "there" || kernel.mptcp === undefined) return well(check, "not tried");
  if (kernel.ipMptcp === "") return well(check, "works");
  if (!root) return bad("warning", check, `could not be tried: ${kernel.ipMptcp}`, AS_ROOT);
  const found = `does not work: ${kernel.ipMptcp}`;
  return lacking(system, "ip", { level: "error", check, found, otherwise: "install a newer iproute2 (5.8 or later)" });
}

function policyRouting({ kernel, programs }: Facts): Finding {
  const check = "policy routing";
  if (programs.get("ip")?.kind !== "there") return well(check, "not tried");
  if (kernel.policyRouting === "") return well(check, "works");
  return bad(
    "error",
    check,
    `the kernel can't choose routes by source: ${kernel.policyRouting}`,
    "use a kernel with CONFIG_IP_MULTIPLE_TABLES (every usual one has it)",
  );
}

function tun({ kernel, system, root }: Facts): Finding {
  const check = "TUN";
  if (kernel.tun === "") return well(check, "/dev/net/tun is there");
  if (!root && (kernel.tun === "EACCES" || kernel.tun === "EPERM")) return bad("warning", check, "could not be tried", AS_ROOT);
  const otherwise =
    kernel.tun === "EPERM" || kernel.tun === "EACCES"
      ? "this machine is a container that is not given /dev/net/tun: allow it there"
      : "modprobe tun; in a container, give it /dev/net/tun";
  return lacking(system, "tun", {
    level: "error",
    check,
    found: `/dev/net/tun can't be opened (${kernel.tun}): no lane can be made`,
    otherwise,
  });
}

function nft({ kernel, system, relay, root, programs }: Facts): readonly Finding[] {
  const check = "nftables";
  if (programs.get("nft")?.kind !== "there") return [];
  const trials = nftTrials.filter((trial) => relay || !trial.relayOnly);
  const failed = trials.filter(({ name }) => (kernel.nft.get(name) ?? "") !== "");
  if (failed.length === 0) return [well(check, `kernel and nft can do all that is needed (${trials.map(({ name }) => name).join(", ")})`)];
  if (!root) return [bad("warning", check, "could not be tried", AS_ROOT)];
  const [first] = failed;
  // Without tables nothing else can work either.
  const told = first?.name === "tables" ? [first] : failed;
  return told.map(({ name, without, need }) => {
    const found = `${name} does not work (${kernel.nft.get(name) ?? ""}): ${without}`;
    return lacking(system, need, {
      level: "error",
      check,
      found,
      otherwise: "use a newer kernel and a newer nftables, with all of nf_tables built",
    });
  });
}

function congestion({ kernel, system }: Facts, name: string): Finding {
  const check = "congestion";
  if (kernel.congestion.includes(name)) return well(check, `${name} is there`);
  if (kernel.loadable.includes(name)) return well(check, `${name} is loaded when it is needed`);
  const found = `the kernel has no congestion control ${name}; it has ${kernel.congestion.join(", ")}, and goes on with its own`;
  const otherwise = "choose one of these in the configuration (option congestion)";
  if (name !== "bbr") return bad("warning", check, found, otherwise);
  return lacking(system, "bbr", { level: "warning", check, found, otherwise });
}
