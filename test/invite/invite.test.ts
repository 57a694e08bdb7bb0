import fc from "fast-check";
import { decodeBase64, decodeBase64Url, encodeBase64, encodeBase64Url } from "../../src/invite/base64.ts";
import { decodeInvite, encodeInvite, MAX_INVITE } from "../../src/invite/codec.ts";
import { crc32 } from "../../src/invite/crc32.ts";
import { InviteError, type InviteFault } from "../../src/invite/error.ts";
import { formatPem, parsePem } from "../../src/invite/pem.ts";
import { formatText } from "../../src/invite/text.ts";
import type { Invite } from "../../src/invite/types.ts";
import { test } from "../harness/index.ts";
import { clientKey, der, sample } from "./sample.ts";

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** An invite whose checksum is right, whatever its text is. */
function signed(text: string): string {
  return `binder://v1/${encodeBase64Url(ascii(`${text}crc32 ${crc32(ascii(text)).toString(16).padStart(8, "0")}\n`))}`;
}

function faultOf(pasted: string): InviteError | undefined {
  try {
    decodeInvite(pasted);
    return undefined;
  } catch (error) {
    // Anything else than an InviteError is a crash, and fails the test that called.
    if (error instanceof InviteError) return error;
    throw error;
  }
}

const name = fc.stringMatching(/^[A-Za-z0-9_]{1,32}$/).filter((text) => text !== "numbers");
const address = fc.tuple(fc.integer({ min: 128, max: 191 }), fc.nat(255), fc.nat(255), fc.nat(255)).map((octets) => octets.join("."));
const seed = fc.nat(100_000);
const invites: fc.Arbitrary<Invite> = fc.record({
  relay: name,
  home: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/),
  number: fc.integer({ min: 2, max: 4094 }),
  addresses: fc.uniqueArray(address, { minLength: 1, maxLength: 8 }),
  port: fc.integer({ min: 1, max: 65520 }),
  prefix: fc.integer({ min: 1, max: 126 }).map((octet) => `${octet}.64.0.0/16`),
  resolver: address,
  authority: fc.tuple(fc.integer({ min: 1, max: 600 }), seed).map(([size, from]) => formatPem("CERTIFICATE", der(size, from))),
  certificate: fc.tuple(fc.integer({ min: 1, max: 600 }), seed).map(([size, from]) => formatPem("CERTIFICATE", der(size, from))),
  key: fc.tuple(fc.integer({ min: 1, max: 200 }), seed).map(([size, from]) => formatPem("PRIVATE KEY", der(size, from))),
  tlsCrypt: fc
    .tuple(fc.integer({ min: 257, max: 600 }), seed)
    .map(([size, from]) => formatPem("OpenVPN tls-crypt-v2 client key", clientKey(size, from))),
});

test("CRC-32 has its check value", (t) => {
  t.equal(crc32(ascii("123456789")), 0xcbf43926);
  t.equal(crc32(new Uint8Array()), 0);
});

test("base64 has the values of RFC 4648", (t) => {
  for (const [plain, encoded] of [
    ["", ""],
    ["f", "Zg=="],
    ["fo", "Zm8="],
    ["foo", "Zm9v"],
    ["foob", "Zm9vYg=="],
    ["fooba", "Zm9vYmE="],
    ["foobar", "Zm9vYmFy"],
  ] as const) {
    t.equal(encodeBase64(ascii(plain)), encoded);
    t.same(decodeBase64(encoded), ascii(plain));
  }
  t.equal(encodeBase64Url(Uint8Array.from([251, 255, 254])), "-__-");
  for (const wrong of ["Zg=", "Zg", "Zh==", "Zm9=", "Z", "Zg==Zg==", "Zm 9v", "-__-", "===="])
    t.equal(decodeBase64(wrong), undefined, wrong);
  for (const wrong of ["Z", "Zh", "Zm9v=", "Zm9+", "Zm9/"]) t.equal(decodeBase64Url(wrong), undefined, wrong);
});

test("base64: bytes come back, and no other text means the same bytes", (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.stringMatching(/^[A-Za-z0-9_-]{0,40}$/), (plain, text) => {
      const back = decodeBase64Url(encodeBase64Url(plain));
      if (back === undefined || back.join() !== plain.join()) return false;
      const read = decodeBase64Url(text);
      return read === undefined || encodeBase64Url(read) === text;
    }),
  );
  t.pass();
});

test("an invite comes back as it was", (t) => {
  fc.assert(
    fc.property(invites, (invite) => {
      const line = encodeInvite(invite);
      return !/\s/.test(line) && line.length <= MAX_INVITE && JSON.stringify(decodeInvite(line)) === JSON.stringify(invite);
    }),
    { numRuns: 200 },
  );
  t.pass();
});

test("the format is the recorded one", (t) => {
  const small = {
    ...sample,
    authority: formatPem("CERTIFICATE", der(3, 1)),
    certificate: formatPem("CERTIFICATE", der(3, 2)),
    key: formatPem("PRIVATE KEY", der(3, 3)),
  };
  const [head = "", tlsCrypt = ""] = formatText(small).split(/(?<=\ntls-crypt-v2 )/);
  t.equal(
    head,
    [
      "relay school",
      "home anna-maria",
      "number 2",
      "address 45.0.0.1",
      "address 45.0.0.2",
      "port 21300",
      "prefix 198.19.0.0/16",
      "resolver 198.19.0.1",
      "ca MANBlic=",
      "certificate MAODWac=",
      "key MAPFGyg=",
      "tls-crypt-v2 ",
    ].join("\n"),
  );
  t.match(tlsCrypt, /^[A-Za-z0-9+/]{728}\n$/);
  const line = encodeInvite(small);
  t.equal(line.slice(0, 60), "binder://v1/cmVsYXkgc2Nob29sCmhvbWUgYW5uYS1tYXJpYQpudW1iZXIg");
  t.equal(crc32(ascii(line)).toString(16), "c9a37a9a", "all of the line");
});

test("white space, line breaks and zero-width characters in a paste do no harm", (t) => {
  const line = encodeInvite(sample);
  const filler = fc.constantFrom(" ", "\n", "\r\n", "\t", "\u00a0", "\u200b", "\ufeff");
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(line.length), filler), { maxLength: 20 }), (places) => {
      let pasted = line;
      for (const [place, text] of places) pasted = pasted.slice(0, place) + text + pasted.slice(place);
      return decodeInvite(`\n ${pasted} \n`).key === sample.key;
    }),
  );
  t.same(decodeInvite(line.replace(/.{40}/g, "$&\r\n    ")), sample);
});

test("every single changed character is noticed", (t) => {
  const line = encodeInvite(sample);
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_ =%é";
  let tried = 0;
  for (let place = 0; place < line.length; place++) {
    for (const step of [1, 31, 62]) {
      const other = alphabet.charAt((alphabet.indexOf(line.charAt(place)) + step) % alphabet.length);
      if (other === line.charAt(place)) continue;
      tried++;
      if (faultOf(line.slice(0, place) + other + line.slice(place + 1)) === undefined)
        t.fail(`character ${place} became ${other}, unnoticed`);
    }
  }
  t.ok(tried > 2 * line.length, `${tried} changes`);
});

test("every cut is noticed, and the error says what to do", (t) => {
  const line = encodeInvite(sample);
  for (let length = 1; length < line.length; length++) {
    const fault = faultOf(line.slice(0, length));
    if (fault?.fault !== "short" || !/cut short: copy the whole line again/.test(fault.message))
      t.fail(`cut to ${length}: ${fault?.message ?? "unnoticed"}`);
    if (faultOf(line.slice(length)) === undefined) t.fail(`without its first ${length}: unnoticed`);
  }
  t.pass(`${line.length - 1} cuts`);
});

test("mangled invites never crash, and never show a key", (t) => {
  const line = encodeInvite(sample);
  const secret = sample.key.split("\n")[1] ?? "";
  const mutation = fc.tuple(
    fc.constantFrom("put", "drop", "swap", "double"),
    fc.nat(line.length),
    fc.integer({ min: 1, max: 80 }),
    fc.string({ maxLength: 6, unit: "binary" }),
  );
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
      let text = line;
      for (const [kind, at, size, put] of mutations) {
        const [before, middle, after] = [text.slice(0, at), text.slice(at, at + size), text.slice(at + size)];
        text = {
          put: before + put + middle + after,
          drop: before + after,
          swap: before + after.slice(0, size) + middle + after.slice(size),
          double: before + middle + middle + after,
        }[kind];
      }
      const fault = faultOf(text);
      if (fault === undefined) return JSON.stringify(decodeInvite(text)) === JSON.stringify(sample);
      return !fault.message.includes(secret.slice(0, 20)) && !/[\x00-\x1f]/.test(fault.message) && fault.message.length < 500;
    }),
    { numRuns: 1000 },
  );
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ maxLength: 300, unit: "binary" }), fc.string({ maxLength: 300 }).map(signed)),
      (text) => faultOf(text) !== undefined,
    ),
    { numRuns: 500 },
  );
  t.pass();
});

const PASTES: readonly (readonly [string, InviteFault, RegExp])[] = [
  ["", "empty", /^there is no invite: paste the line that binder relay add-home printed$/],
  [" \n", "empty", /there is no invite/],
  ["bin", "short", /^the invite is cut short: copy the whole line again, from binder:\/\/ to its end$/],
  ["binder://v1/", "short", /cut short/],
  ["binder://v2/AAAA", "version", /^the invite was made by a newer relay: update Binder at this home$/],
  ["https://example.org/", "scheme", /^an invite begins with binder:\/\/v1\/, this text does not/],
  [`"${encodeInvite(sample)}"`, "scheme", /an invite begins with/],
  [`${encodeInvite(sample)}"`, "alphabet", /has a character that no invite has, "\\"": copy the whole line again/],
  [encodeInvite(sample) + encodeInvite(sample), "alphabet", /character that no invite has, ":"/],
  [`binder://v1/${"A".repeat(MAX_INVITE)}`, "long", /^an invite has at most 6000 characters, this has 6012/],
  [encodeInvite(sample).replace(/.{8}$/, "AAAAAAAA"), "checksum", /copy the whole line again/],
];

test("each kind of bad paste has its own sentence", (t) => {
  for (const [pasted, fault, sentence] of PASTES) {
    const error = faultOf(pasted);
    t.equal(error?.fault, fault, pasted.slice(0, 30));
    t.match(error?.message ?? "", sentence);
  }
  const line = encodeInvite(sample);
  t.match(
    faultOf(line.slice(0, 200) + line.slice(204))?.message ?? "",
    /^the invite was changed on its way here \(its checksum does not fit\): copy the whole line again/,
  );
});

const good = formatText(sample);
const replaced = (field: string, value: string): string => good.replace(new RegExp(`^${field} .*$`, "m"), `${field} ${value}`);

/** What an invite with a right checksum may still not have, since its values go into configurations. */
const TEXTS: readonly (readonly [string, string, RegExp])[] = [
  ["a name with a slash", replaced("relay", "../x"), /relay is 1 to 32 letters, digits or underscores.*not "\.\.\/x"/],
  ["a name with a quote", replaced("relay", "a'b"), /relay is 1 to 32/],
  ["an empty name", replaced("relay", ""), /relay is 1 to 32/],
  ["the name of a file of Binder's", replaced("relay", "numbers"), /and not numbers/],
  ["a home that is a hidden file", replaced("home", ".ssh"), /home is 1 to 32/],
  ["a home with a space", replaced("home", "a b"), /home is 1 to 32/],
  ["number 1, the relay's", replaced("number", "1"), /number is 2 to 4094 with this prefix, not 1;/],
  ["number 4095, the broadcast", replaced("number", "4095"), /number is 2 to 4094/],
  ["an octal number", replaced("number", "007"), /number that is no whole number/],
  ["a number in exponents", replaced("number", "1e2"), /number that is no whole number/],
  [
    "a number beyond a small prefix",
    replaced("prefix", "10.9.8.0/24").replace("number 2", "number 15"),
    /number is 2 to 14 with this prefix, not 15/,
  ],
  ["port 0", replaced("port", "0"), /port is 1 to 65520, not 0/],
  ["a port that leaves none for lane 15", replaced("port", "65521"), /port is 1 to 65520/],
  ["an address with a directive", replaced("address", "45.0.0.1 tcp"), /address is a host's IPv4 address, not "45\.0\.0\.1 tcp"/],
  ["a loopback address", replaced("address", "127.0.0.1"), /address is a host's IPv4 address/],
  ["a multicast address", replaced("address", "224.0.0.1"), /address is a host's IPv4 address/],
  ["an octal address", replaced("address", "045.0.0.1"), /address is a host's IPv4 address/],
  ["the same address twice", replaced("address", "45.0.0.2"), /1 to 8 different addresses/],
  ["an address within the prefix", replaced("address", "198.19.7.7"), /address 198\.19\.7\.7 lies within prefix 198\.19\.0\.0\/16/],
  ["a prefix with host bits", replaced("prefix", "198.19.0.1/16"), /prefix is an IPv4 prefix of length 8 to 24/],
  ["the prefix of all", replaced("prefix", "0.0.0.0/0"), /prefix is an IPv4 prefix/],
  ["a prefix too small for homes", replaced("prefix", "10.0.0.0/28"), /prefix is an IPv4 prefix/],
  ["a resolver that is a name", replaced("resolver", "dns.example"), /resolver is a host's IPv4 address/],
  ["a certificate that is none", replaced("ca", "AAAA"), /has a ca that is no CERTIFICATE/],
  ["a certificate that ends early", replaced("certificate", encodeBase64(der(100, 1).slice(0, -1))), /certificate that is no CERTIFICATE/],
  [
    "a certificate with bytes behind it",
    replaced("certificate", encodeBase64(Uint8Array.from([...der(9, 1), 0]))),
    /certificate that is no CERTIFICATE/,
  ],
  ["a key that is no base64", replaced("key", "MAP*"), /key that is no PRIVATE KEY/],
  [
    "a tls-crypt key without its wrapped half",
    replaced("tls-crypt-v2", encodeBase64(clientKey(290, 1).slice(0, 256))),
    /tls-crypt-v2 that is no OpenVPN/,
  ],
  [
    "a tls-crypt key with a wrong length",
    replaced("tls-crypt-v2", encodeBase64(clientKey(290, 1).slice(1))),
    /tls-crypt-v2 that is no OpenVPN/,
  ],
  ["an unknown field", `${good}colour red\n`, /a field that this Binder does not know: update Binder/],
  ["no field at all", "", /lacks its field relay/],
  [
    "fields in another order",
    good
      .split("\n")
      .slice(0, -1)
      .reverse()
      .map((line) => `${line}\n`)
      .join(""),
    /out of order/,
  ],
  ["a missing field", good.replace(/^port .*\n/m, ""), /lacks its field port/],
  ["no address", good.replace(/^address .*\n/gm, ""), /1 to 8 different addresses, not 0/],
  ["a field twice", good.replace(/^port .*\n/m, "$&$&"), /has its field port twice/],
  ["a field without a value", good.replace(/^port .*$/m, "port"), /a field that this Binder does not know/],
];

test("a right checksum does not let a wrong field in", (t) => {
  t.same(decodeInvite(signed(good)), sample);
  for (const [what, text, sentence] of TEXTS) {
    const error = faultOf(signed(text));
    t.equal(error?.fault, "field", what);
    t.match(error?.message ?? "", sentence, what);
    t.match(error?.message ?? "", /ask the relay's keeper for a new one/, what);
  }
});

test("control characters and other bytes within the text are refused", (t) => {
  for (const strange of ["\r", "\t", "\0", "\u00e9", "\u001b[2J"])
    t.equal(faultOf(signed(replaced("home", `a${strange}`)))?.fault, "checksum", JSON.stringify(strange));
});

test("what can't be an invite is not written as one", (t) => {
  for (const wrong of [
    { relay: "a b" },
    { home: "x\nport 1" },
    { number: 1 },
    { number: 2.5 },
    { port: Number.NaN },
    { addresses: [] },
    { key: sample.certificate },
    { authority: `${sample.authority}${sample.authority}` },
  ]) {
    t.throws(() => encodeInvite({ ...sample, ...wrong }), InviteError, JSON.stringify(wrong).slice(0, 60));
  }
  t.throws(() => encodeInvite({ ...sample, certificate: formatPem("CERTIFICATE", der(4000, 1)) }), /more than 6000/);
});

test("PEM: other line lengths and line ends are read, other labels are not", (t) => {
  const body = encodeBase64(der(100, 1));
  const wrapped = `-----BEGIN CERTIFICATE-----\r\n${body.replace(/.{76}/g, "$&\r\n")}\r\n-----END CERTIFICATE-----\r\n`;
  t.same(parsePem("CERTIFICATE", wrapped), der(100, 1));
  t.equal(parsePem("PRIVATE KEY", wrapped), undefined);
  t.equal(parsePem("CERTIFICATE", `${wrapped}${wrapped}`), undefined);
  t.equal(parsePem("CERTIFICATE", "-----BEGIN CERTIFICATE-----END CERTIFICATE-----"), undefined);
});
