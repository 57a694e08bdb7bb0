import * as native from "binder:native";
import { hasCode, translated } from "../errors.ts";
import { HostError, type Listener, type Sockets, type Stream, type UdpSocket } from "../types.ts";
import { Descriptor } from "./descriptor.ts";
import { Readiness } from "./readiness.ts";

/** With no descriptor left for a caller, the next try is after so many milliseconds. */
const PAUSE = 100;
/** So many datagrams are taken before others have their turn. */
const DATAGRAMS = 32;

function streamOf(socket: Descriptor): Stream {
  return {
    input: socket.chunks(),
    write: async (bytes) => await socket.write(bytes),
    close: () => socket.close(),
  };
}

/** Calls back for each caller, until the function that it answers is called. */
function acceptAll(listener: number, onSocket: (socket: number) => void): () => void {
  let watch: number | undefined;
  let timer: number | undefined;
  const begin = (): void => {
    timer = undefined;
    watch = native.watch(listener, false, accept);
  };
  const end = (): void => {
    if (watch !== undefined) native.unwatch(watch);
    if (timer !== undefined) native.clearTimer(timer);
    watch = timer = undefined;
  };
  const accept = (): void => {
    try {
      // A caller's first act may be to end this listener.
      for (let socket = native.accept(listener); socket !== undefined; socket = watch === undefined ? undefined : native.accept(listener)) {
        onSocket(socket);
      }
    } catch (error) {
      if (!hasCode(error, "EMFILE") && !hasCode(error, "ENFILE")) throw error;
      end();
      timer = native.setTimer(begin, PAUSE);
    }
  };
  begin();
  return end;
}

async function listenUnix(path: string, mode: number, onConnection: (stream: Stream) => void): Promise<Listener> {
  const listener = native.listenUnix(path, mode);
  const open = new Set<Descriptor>();
  const end = acceptAll(listener, (accepted) => {
    const socket: Descriptor = new Descriptor(accepted, () => open.delete(socket));
    open.add(socket);
    onConnection(streamOf(socket));
  });
  let closed = false;
  return {
    close: async () => {
      if (closed) return;
      closed = true;
      for (const socket of [...open]) socket.close();
      end();
      native.close(listener);
      native.removeAll(path);
    },
  };
}

const bindUdp: Sockets["bindUdp"] = async (address, port, onDatagram) => {
  const socket = native.bindUdp(address, port);
  const writable = new Readiness(socket, true);
  let open = true;
  const watch = native.watch(socket, false, () => {
    for (let count = 0; open && count < DATAGRAMS; count += 1) {
      const datagram = native.receive(socket);
      if (datagram === undefined) return;
      onDatagram(datagram);
    }
  });
  const send = async (bytes: Uint8Array, to: string, toPort: number): Promise<void> => {
    for (;;) {
      if (!open) throw new HostError("EBADF", "EBADF: the socket is closed, send");
      if (native.sendTo(socket, bytes, to, toPort)) return;
      await writable.wait();
    }
  };
  const udp: UdpSocket = {
    port: native.localPort(socket),
    send: async (bytes, to, toPort) => await translated(async () => await send(bytes, to, toPort)),
    close: () => {
      if (!open) return;
      open = false;
      native.unwatch(watch);
      writable.end();
      native.close(socket);
    },
  };
  return udp;
};

export const quickjsSockets: Sockets = {
  connectUnix: async (path, signal) => {
    signal.throwIfAborted();
    // It stands at once or not at all: there is nothing to wait for.
    return await translated(async () => streamOf(new Descriptor(native.connectUnix(path))));
  },
  listenUnix: async (path, mode, onConnection) => await translated(async () => await listenUnix(path, mode, onConnection)),
  bindUdp: async (address, port, onDatagram) => await translated(async () => await bindUdp(address, port, onDatagram)),
};
