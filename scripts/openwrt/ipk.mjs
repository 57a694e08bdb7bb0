/** Packages for opkg (OpenWrt 24.10), as OpenWrt's include/package-pack.mk and scripts/ipkg-build make them. */
import { entriesOf } from "./describe.mjs";
import { gzip, tar } from "./tar.mjs";

/** OpenWrt's own part of each package: users, services, uci-defaults; then the package's, if it has one (postinst-pkg, prerm-pkg). */
const wrapper = (action, first = "") => `#!/bin/sh
${first}[ -s "\${IPKG_INSTROOT}/lib/functions.sh" ] || exit 0
. "\${IPKG_INSTROOT}/lib/functions.sh"
default_${action} $0 $@
`;

const script = (path, text) => ({ path, mode: 0o755, content: Buffer.from(text) });
const plain = (path, text) => ({ path, mode: 0o644, content: Buffer.from(text) });

function controlText(pack, architecture, size, time) {
  const fields = [
    ["Package", pack.name],
    ["Version", pack.version],
    ["Depends", pack.depends.join(", ")],
    ["SourceName", "binder"],
    ["License", pack.license],
    ["Section", pack.section],
    ["SourceDateEpoch", String(time)],
    ["Architecture", architecture],
    ["Installed-Size", String(size)],
    ["Description", pack.description.replace(/\n\s*/g, "\n ")],
  ];
  return fields.map(([key, value]) => `${key}: ${value}\n`).join("");
}

/** The bytes of the package, and the name of its file. @param {import("./describe.mjs").Description} pack @param {number} time seconds since 1970 */
export function ipk(pack, architecture, time) {
  const data = tar(entriesOf(pack.root), time);
  const { postinst, prerm, ...others } = pack.scripts;
  const control = [
    { path: "./", mode: 0o755 },
    ...(pack.conffiles.length > 0 ? [plain("./conffiles", pack.conffiles.map((file) => `${file}\n`).join(""))] : []),
    plain("./control", controlText(pack, architecture, data.length, time)),
    script("./postinst", wrapper("postinst", '[ "${IPKG_NO_SCRIPT}" = "1" ] && exit 0\n')),
    script("./prerm", wrapper("prerm")),
    ...(postinst === undefined ? [] : [script("./postinst-pkg", postinst)]),
    ...(prerm === undefined ? [] : [script("./prerm-pkg", prerm)]),
    ...Object.entries(others).map(([name, text]) => script(`./${name}`, text)),
  ].sort((one, other) => (one.path < other.path ? -1 : 1));
  const bytes = gzip(
    tar(
      [
        plain("./debian-binary", "2.0\n"),
        { path: "./data.tar.gz", mode: 0o644, content: gzip(data) },
        { path: "./control.tar.gz", mode: 0o644, content: gzip(tar(control, time)) },
      ],
      time,
    ),
  );
  return { file: `${pack.name}_${pack.version}_${architecture}.ipk`, bytes };
}
