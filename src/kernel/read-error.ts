/** The kernel's state could not be read, so nothing was changed. */
export class KernelReadError extends Error {
  override readonly name = "KernelReadError";
}
