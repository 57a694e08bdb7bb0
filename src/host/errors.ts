import { HostError } from "./types.ts";

/** An engine's errors as the seam's: the errno's name in `code`, the message kept. */
export function hostError(cause: unknown): HostError {
  if (cause instanceof HostError) return cause;
  const code = cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : "EIO";
  return new HostError(code, cause instanceof Error ? cause.message : String(cause), { cause });
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

/** Runs `action`, turning what it throws into HostErrors. */
export async function translated<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw hostError(error);
  }
}
