import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import type { Answer } from './answers.ts';
import { type FaultKind, faultyAnswer } from './faults.ts';

/** A listener on 127.0.0.1 at a port of the system's choice. */
export interface LocalServer {
  readonly port: number;
  close(): Promise<void>;
}

/** One request, as a simulated server sees it. */
export interface SimulatedRequest {
  readonly method: string;
  /** Path and query, as they were sent. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** One request that was answered, or left without an answer (status 0). */
export interface RecordedRequest {
  /** Name of the cluster, or `s3`. */
  readonly server: string;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly status: number;
  /** Bytes of the body that were sent. */
  readonly bytes: number;
}

/** How requests to one server are answered, disturbed and recorded. */
export interface Service {
  readonly name: string;
  /** The `Date` header of every answer; undefined for the real time. */
  readonly date: Date | undefined;
  handle(request: SimulatedRequest): Promise<Answer>;
  /** Milliseconds that each answer waits, or what it waits for. */
  latency(request: SimulatedRequest): number | Promise<void>;
  fault(path: string): FaultKind | undefined;
  record(request: RecordedRequest): void;
}

/** Serves HTTP, or HTTPS where a certificate is given. */
export function serveHttp(
  service: Service,
  certificate?: { readonly key: string; readonly cert: string },
): Promise<LocalServer> {
  const onRequest = (message: IncomingMessage, response: ServerResponse) => {
    respond(service, message, response).catch(error => response.destroy(error));
  };
  const server = certificate ? createHttpsServer(certificate, onRequest) : createHttpServer(onRequest);
  return listen(server);
}

/** Serves raw TCP: each connection is given to `onConnection`. */
export function serveTcp(onConnection: (socket: Socket) => void): Promise<LocalServer> {
  return listen(createTcpServer(onConnection));
}

/** A port at which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = await serveTcp(() => {});
  await server.close();
  return server.port;
}

async function respond(service: Service, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  const request: SimulatedRequest = {
    method: message.method ?? 'GET',
    target: message.url ?? '/',
    headers: message.headers,
    body: Buffer.concat(chunks),
  };
  const latency = service.latency(request);
  if (typeof latency !== 'number') await latency;
  else if (latency > 0) await new Promise(resolve => setTimeout(resolve, latency));
  const fault = service.fault(request.target);
  const given = fault
    ? await faultyAnswer(fault, request.target, () => service.handle(request))
    : await service.handle(request);
  send(service, request, given, response);
}

function send(service: Service, request: SimulatedRequest, given: Answer, response: ServerResponse): void {
  const record = (status: number, bytes: number) =>
    service.record({ server: service.name, method: request.method, path: request.target, status, bytes });
  if (given.is === 'silence' || given.is === 'reset') {
    record(0, 0);
    if (given.is === 'reset') response.socket?.resetAndDestroy();
    return;
  }
  if (service.date) {
    response.sendDate = false;
    response.setHeader('date', service.date.toUTCString());
  }
  const withoutBody = request.method === 'HEAD' || given.status === 204;
  if (given.is === 'cut' || given.is === 'stalled') {
    const half = given.body.subarray(0, Math.floor(given.body.length / 2));
    record(given.status, half.length);
    response.writeHead(given.status, { ...given.headers, 'content-length': String(given.body.length) });
    response.flushHeaders();
    response.write(half, () => (given.is === 'cut' ? response.destroy() : undefined));
    return;
  }
  record(given.status, withoutBody ? 0 : given.body.length);
  response.writeHead(given.status, {
    ...(given.status !== 204 && { 'content-length': String(given.body.length) }),
    ...given.headers,
  });
  response.end(withoutBody ? undefined : given.body);
}

function listen(server: Server): Promise<LocalServer> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    // A client that goes away in the middle is no fault of the simulation.
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      resolve({
        port: (server.address() as AddressInfo).port,
        close: () =>
          new Promise(closed => {
            server.close(() => closed());
            for (const socket of sockets) socket.destroy();
          }),
      });
    });
  });
}
