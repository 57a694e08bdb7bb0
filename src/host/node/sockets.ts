import { createSocket } from "node:dgram";
import { chmod, unlink } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { HostError, type Listener, type Sockets, type Stream, type UdpSocket } from "../types.ts";
import { chunksOf, writeTo } from "./streams.ts";
import { hasCode, hostError } from "../errors.ts";

function streamOf(socket: Socket): Stream {
  let closed = false;
  socket.on("error", () => undefined);
  return {
    input: chunksOf(socket, () => closed),
    write: async (bytes) => await writeTo(socket, bytes),
    close: () => {
      closed = true;
      socket.destroy();
    },
  };
}

async function connectUnix(path: string, signal: AbortSignal): Promise<Stream> {
  signal.throwIfAborted();
  return await new Promise<Stream>((resolve, reject) => {
    const socket = connect({ path });
    const onAbort = (): void => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once("error", (error) => {
      signal.removeEventListener("abort", onAbort);
      reject(hostError(error));
    });
    socket.once("connect", () => {
      signal.removeEventListener("abort", onAbort);
      resolve(streamOf(socket));
    });
  });
}

async function listenUnix(path: string, mode: number, onConnection: (stream: Stream) => void): Promise<Listener> {
  await unlink(path).catch((error: unknown) => {
    if (!hasCode(error, "ENOENT")) throw hostError(error);
  });
  const open = new Set<Socket>();
  // A caller may end what it says before it has its answer.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    onConnection(streamOf(socket));
  });
  // Nobody may connect between bind() and chmod().
  const former = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error) => {
        reject(hostError(error));
      });
      server.listen(path, resolve);
    });
  } finally {
    process.umask(former);
  }
  await chmod(path, mode);
  return {
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
    },
  };
}

const bindUdp: Sockets["bindUdp"] = async (address, port, onDatagram) =>
  await new Promise<UdpSocket>((resolve, reject) => {
    const socket = createSocket("udp4");
    socket.once("error", (error) => {
      socket.close();
      reject(hostError(error));
    });
    socket.on("message", (bytes, from) => {
      onDatagram({ bytes: new Uint8Array(bytes), address: from.address, port: from.port });
    });
    socket.bind({ address, port }, () => {
      let open = true;
      // From here on an error belongs to one datagram, and send() reports it.
      socket.removeAllListeners("error");
      socket.on("error", () => undefined);
      resolve({
        port: socket.address().port,
        send: async (bytes, to, toPort) => {
          if (!open) throw new HostError("EBADF", "EBADF: the socket is closed, send");
          await new Promise<void>((sent, failed) => {
            socket.send(bytes, toPort, to, (error) => {
              if (error) failed(hostError(error));
              else sent();
            });
          });
        },
        close: () => {
          if (open) socket.close();
          open = false;
        },
      });
    });
  });

export const nodeSockets: Sockets = { connectUnix, listenUnix, bindUdp };
