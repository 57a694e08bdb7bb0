/** Put in by the build. */
declare const BINDER_VERSION: string;

export const version: string = typeof BINDER_VERSION === "string" ? BINDER_VERSION : "unbuilt";
