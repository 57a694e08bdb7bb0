export type InviteFault =
  /** There is nothing to read. */
  | "empty"
  /** It is something else than an invite. */
  | "scheme"
  | "version"
  /** A character that no invite has. */
  | "alphabet"
  | "short"
  | "checksum"
  /** Well carried, but a field is missing, unknown or wrong. */
  | "field"
  | "long";

/** An invite that can't be used. The message tells a person what to do, and never shows a key. */
export class InviteError extends Error {
  override readonly name = "InviteError";
  readonly fault: InviteFault;
  constructor(fault: InviteFault, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.fault = fault;
  }
}
