/**
 * Tells clients what the server sees of them. Runs in a node of the testbed.
 *
 *     node echo.mjs serve [udp:PORT[:ADDRESS] | tcp:PORT | http:PORT] ...   answers every datagram, line and request with ADDRESS:PORT of who asked
 *     node echo.mjs names LISTEN ANSWER CUSTOMERS                 a resolver: ANSWER to every question of an address that begins with
 *                                                                 CUSTOMERS, REFUSED to others
 *     node echo.mjs ask TO PORT FLOWS [SECONDS [BIND [BROADCAST]]]
 *                                                                 a datagram of each of FLOWS sockets, every 50 ms for SECONDS;
 *                                                                 prints {"flow", "at", "peer"} for every answer; without SECONDS
 *                                                                 it ends with the first answer to each, or after 5 s
 *     node echo.mjs talk TO PORT                                  the same over one TCP connection, until it is killed
 */
import { createSocket } from "node:dgram";
import { createServer as createHttpServer } from "node:http";
import { connect, createServer } from "node:net";

/** As large as a telephone's packets: enough traffic for its lane to be watched closely. */
const CALL = "?".repeat(160);

const [mode, ...args] = process.argv.slice(2);
const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);

function serve(what) {
  const [kind, port, address] = what.split(":");
  const name = ({ address, port: from }) => `${address.replace("::ffff:", "")}:${from}`;
  if (kind === "udp") {
    const socket = createSocket("udp4", (message, from) => socket.send(name(from), from.port, from.address));
    socket.bind(Number(port), address);
    return;
  }
  const ofSocket = (socket) => name({ address: socket.remoteAddress ?? "", port: socket.remotePort });
  if (kind === "http") {
    createHttpServer((request, response) => response.end(ofSocket(request.socket))).listen(Number(port));
    return;
  }
  createServer((socket) => {
    const peer = ofSocket(socket);
    socket.on("error", () => undefined);
    socket.on("data", () => socket.write(`${peer}\n`));
  }).listen(Number(port));
}

function names(listen, answer, customers) {
  const socket = createSocket("udp4", (question, from) => {
    const reply = Buffer.from(question);
    const refused = !from.address.startsWith(customers);
    reply.writeUInt16BE(refused ? 0x8185 : 0x8180, 2);
    let end = 12;
    while (question[end] !== 0) end += question[end] + 1;
    end += 5;
    const isAddress = question.readUInt16BE(end - 4) === 1;
    reply.writeUInt16BE(refused || !isAddress ? 0 : 1, 6);
    reply.writeUInt32BE(0, 8);
    const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, ...answer.split(".").map(Number)]);
    socket.send(Buffer.concat([reply.subarray(0, end), ...(refused || !isAddress ? [] : [record])]), from.port, from.address);
  });
  socket.bind(53, listen);
}

function ask(to, port, flows, seconds = "0", bind = "", broadcast = "") {
  const waiting = new Set();
  const sockets = Array.from({ length: Number(flows) }, (_, flow) => {
    waiting.add(flow);
    const socket = createSocket("udp4", (message) => {
      say({ flow, at: performance.now(), peer: message.toString() });
      waiting.delete(flow);
      if (seconds === "0" && waiting.size === 0) process.exit(0);
    });
    socket.on("error", () => undefined);
    socket.bind(0, bind === "" ? undefined : bind, () => socket.setBroadcast(broadcast !== ""));
    return socket;
  });
  const send = () => {
    for (const socket of sockets) socket.send(CALL, Number(port), to, () => undefined);
  };
  setTimeout(send, 20);
  if (seconds !== "0") setInterval(send, 50);
  setTimeout(() => process.exit(0), seconds === "0" ? 5000 : Number(seconds) * 1000);
}

function talk(to, port) {
  const socket = connect(Number(port), to);
  socket.setNoDelay(true);
  socket.on("error", (error) => say({ end: error.code }));
  socket.on("close", () => process.exit(0));
  let partial = "";
  socket.on("data", (bytes) => {
    const lines = (partial + bytes.toString()).split("\n");
    partial = lines.pop() ?? "";
    for (const peer of lines) say({ flow: 0, at: performance.now(), peer });
  });
  setInterval(() => socket.write("?"), 100);
}

switch (mode) {
  case "serve":
    for (const what of args) serve(what);
    setTimeout(() => say({ ready: true }), 50);
    break;
  case "names":
    names(...args);
    setTimeout(() => say({ ready: true }), 50);
    break;
  case "ask":
    ask(...args);
    break;
  case "talk":
    talk(...args);
    break;
  default:
    process.exit(2);
}
