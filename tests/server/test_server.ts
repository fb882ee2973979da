/**
 * A server of this process, on a socket of its own.
 *
 * @module
 */

import { VhostUserFrontend } from "../../device/driver/vhost_user_frontend.ts";
import { libc } from "../../device/host/libc.ts";
import {
  type ServerOptions,
  VhostUserServer,
} from "../../device/vhost_user/server.ts";
import { openFds } from "../vhost_user/bytes.ts";

// Opened here, before any test: a test that opens a library is said to leak it.
libc();

/** @returns a path where no socket is yet, fit for one */
export function freshPath(): string {
  // Not by a counter: each test file has modules of its own.
  return `/tmp/virtio-crypto-${crypto.randomUUID().slice(0, 13)}.sock`;
}

/** A server, stopped at the end of its block. */
export class TestServer implements AsyncDisposable {
  /** The first of its sockets. */
  readonly path: string;
  /** All of them. */
  readonly paths: readonly string[];
  /** What it logged: the level, then the message. */
  readonly log: string[] = [];
  readonly server: VhostUserServer;

  /** @param options what to serve; one data queue on one socket, if not said */
  constructor(options: ServerOptions = {}) {
    this.paths = options.socketPaths ??
      (options.fd === undefined ? [freshPath()] : []);
    this.path = this.paths[0] ?? "";
    const write = (level: string) => (message: string) => {
      this.log.push(`${level}: ${message}`);
    };
    this.server = VhostUserServer.listen({
      queues: 1,
      log: {
        error: write("error"),
        warn: write("warn"),
        info: write("info"),
        debug() {},
      },
      ...options,
      ...(options.fd === undefined ? { socketPaths: this.paths } : {}),
    });
  }

  /**
   * Waits until its workers have started, which opens files.
   *
   * @returns how many descriptors this process has open then
   */
  async openFds(): Promise<number> {
    for (const path of this.paths) {
      // A memory table is answered when every worker has it.
      const frontend = await VhostUserFrontend.connect(path);
      await frontend.negotiate();
      await frontend.shareMemory([{ guestAddress: 0, size: 0x1000 }]);
      await frontend.close();
    }
    return openFds();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.close();
  }
}

/**
 * Waits until something is so, and looks every few milliseconds.
 *
 * @param what says what is waited for, for the error
 * @param isSo tells whether it is so
 * @param timeoutMs how long to wait, in milliseconds
 */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  timeoutMs = 20_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!await isSo()) {
    if (performance.now() > deadline) {
      throw new Error(`Waited ${timeoutMs} ms in vain: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** @param ms how long to sleep, in milliseconds */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Reads an eventfd and sets it back to 0.
 *
 * @param fd an eventfd that does not block
 * @returns how often it was signalled; 0 for never
 */
export function eventfdCount(fd: number): number {
  const value = new BigUint64Array(new ArrayBuffer(8));
  return libc().read(fd, value, 8n) === 8 ? Number(value[0]) : 0;
}

/** @returns both ends of a pipe: the reading one, then the writing one */
export function pipe(): [read: number, write: number] {
  const fds = new Int32Array(new ArrayBuffer(8));
  const { symbols } = Deno.dlopen("libc.so.6", {
    pipe: { parameters: ["buffer"], result: "i32" },
  });
  if (symbols.pipe(fds) !== 0) throw new Error("Cannot make a pipe");
  return [fds[0]!, fds[1]!];
}

/**
 * Waits until no more descriptors are open than there were.
 *
 * @param before how many there were
 */
export async function noMoreFdsThan(before: number): Promise<void> {
  await until("all descriptors to be closed", () => openFds() <= before);
}
