/** Archives that are the same bytes for the same content: POSIX ustar (IEEE 1003.1, pax), owner 0, no names of users. */
import { gzipSync } from "node:zlib";

const BLOCK = 512;
/** tar(1) pads what it writes to twenty blocks. */
const RECORD = 20 * BLOCK;
const LONGEST_NAME = 100;

/**
 * @typedef {object} Entry
 * @property {string} path      as it is written, `./etc/config/`; a folder's ends with a slash
 * @property {number} mode
 * @property {Buffer} [content] a file's
 */

const octal = (value, length) => `${value.toString(8).padStart(length - 1, "0")}\0`;

function header({ path, mode, content }, time) {
  if (Buffer.byteLength(path) > LONGEST_NAME) throw new Error(`${path}: a name in an archive has at most ${String(LONGEST_NAME)} bytes`);
  const block = Buffer.alloc(BLOCK);
  const put = (text, offset) => block.write(text, offset, "latin1");
  block.write(path, 0);
  put(octal(mode, 8), 100);
  put(octal(0, 8), 108);
  put(octal(0, 8), 116);
  put(octal(content?.length ?? 0, 12), 124);
  put(octal(time, 12), 136);
  put(" ".repeat(8), 148);
  put(content === undefined ? "5" : "0", 156);
  put("ustar\x0000", 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

const padding = (length, unit) => Buffer.alloc((unit - (length % unit)) % unit);

/** @param {readonly Entry[]} entries in their order, a folder before what is in it @param {number} time seconds since 1970, of all of them */
export function tar(entries, time) {
  const parts = entries.flatMap((entry) => {
    const content = entry.content ?? Buffer.alloc(0);
    return [header(entry, time), content, padding(content.length, BLOCK)];
  });
  const body = Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
  return Buffer.concat([body, padding(body.length, RECORD)]);
}

/** Without a name or time in its header, as `gzip -n`. */
export const gzip = (bytes) => gzipSync(bytes, { level: 9 });
