import { createHost } from "#host";
import { dispatch } from "./cli/dispatch.ts";

const host = createHost();
dispatch(host, host.program.args).then(
  (status) => host.program.exit(status),
  (error: unknown) => {
    host.program.stderr(`binder: ${error instanceof Error ? error.message : String(error)}\n`);
    host.program.exit(1);
  },
);
