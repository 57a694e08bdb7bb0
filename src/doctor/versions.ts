/** `major.minor`, as numbers that can be compared. */
export type Version = readonly [number, number];

/** The first `1.2` of a text, after `word` where one is given; undefined if there is none. */
export function findVersion(text: string, word = ""): Version | undefined {
  const start = text.toLowerCase().indexOf(word.toLowerCase());
  const [, major, minor] = start < 0 ? [] : (/([0-9]+)\.([0-9]+)/.exec(text.slice(start)) ?? []);
  return major === undefined || minor === undefined ? undefined : [Number(major), Number(minor)];
}

export function atLeast(version: Version, wanted: Version): boolean {
  return version[0] > wanted[0] || (version[0] === wanted[0] && version[1] >= wanted[1]);
}

export const formatVersion = (version: Version): string => version.join(".");
