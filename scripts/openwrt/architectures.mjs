/**
 * Which of OpenWrt's package architectures (`opkg print-architecture`, /etc/apk/arch) run each executable of build/dist/. They are
 * static, so that only the processor matters: mips and mipsel are MIPS32 release 2 without floating point, arm is ARMv7 with NEON and
 * hardware division. A Cortex-A9 has no division, older ARMs and MIPS32 release 1 have less.
 */
export const ARCHITECTURES = {
  mips: ["mips_24kc"],
  mipsel: ["mipsel_24kc", "mipsel_74kc"],
  arm: ["arm_cortex-a7_neon-vfpv4", "arm_cortex-a15_neon-vfpv4"],
  aarch64: ["aarch64_generic", "aarch64_cortex-a53", "aarch64_cortex-a72", "aarch64_cortex-a76"],
  x86_64: ["x86_64"],
};
