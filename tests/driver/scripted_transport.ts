/**
 * A transport to scripted devices: a test says what each request is answered.
 *
 * @module
 */

import type { DriverRing } from "../../device/driver/ring.ts";
import type {
  SessionMessages,
  Transport,
  TransportListener,
} from "../../device/driver/transport.ts";
import type { GuestMemory } from "../../device/memory/guest_memory.ts";
import { encodeConfig } from "../../device/spec/config.ts";
import { ScriptedDevice, type Taken, testMemory } from "./scripted_device.ts";

/** What a request is answered. */
export interface Answer {
  /** Written from the start of the writable part. */
  readonly bytes: Uint8Array;
  /** Length of the used element; that of the writable part if left out. */
  readonly usedLength?: number;
}

/** Answers a request; undefined keeps it. */
export type Script = (queue: number, taken: Taken) => Answer | undefined;

export interface ScriptedOptions {
  readonly script: Script;
  readonly features?: bigint;
  readonly dataQueues?: number;
  readonly status?: number;
  readonly memorySize?: number;
  readonly config?: boolean;
  readonly sessionMessages?: SessionMessages;
}

/** VIRTIO_F_VERSION_1, _RING_EVENT_IDX and _RING_INDIRECT_DESC. */
export const RING_FEATURES = 1n << 32n | 1n << 29n | 1n << 28n;

export class ScriptedTransport implements Transport {
  readonly memory: GuestMemory;
  readonly features: bigint;
  readonly config: Uint8Array | undefined;
  readonly dataQueues: number;
  readonly sessionMessages: SessionMessages | undefined;
  readonly devices = new Map<number, ScriptedDevice>();
  readonly kicks = new Map<number, number>();
  /** Requests that the script kept, by queue. */
  readonly held = new Map<number, Taken[]>();
  listener: TransportListener | undefined;
  closed = 0;
  script: Script;

  constructor(options: ScriptedOptions) {
    this.script = options.script;
    this.memory = testMemory(options.memorySize);
    this.features = options.features ?? RING_FEATURES;
    this.dataQueues = options.dataQueues ?? 2;
    this.sessionMessages = options.sessionMessages;
    this.config = options.config === false ? undefined : encodeConfig({
      status: options.status ?? 1,
      maxDataqueues: 2,
      cryptoServices: 0b0101,
      cipherAlgoL: 1 << 3,
      cipherAlgoH: 0,
      hashAlgo: 1 << 4,
      macAlgoL: 0,
      macAlgoH: 1 << (53 - 32),
      aeadAlgo: 0,
      maxCipherKeyLen: 32,
      maxAuthKeyLen: 512,
      maxSize: 1 << 20,
    });
  }

  listen(listener: TransportListener): void {
    this.listener = listener;
  }

  startQueue(index: number, ring: DriverRing): Promise<void> {
    this.devices.set(index, new ScriptedDevice(this.memory, ring));
    this.held.set(index, []);
    this.kicks.set(index, 0);
    return Promise.resolve();
  }

  kick(index: number): void {
    this.kicks.set(index, this.kicks.get(index)! + 1);
    this.serve(index);
  }

  close(): Promise<void> {
    this.closed++;
    return Promise.resolve();
  }

  /** Answers what is available, and signals. */
  serve(index: number): void {
    const device = this.devices.get(index)!;
    while (device.waiting > 0) {
      const taken = device.take();
      const answer = this.script(index, taken);
      if (answer === undefined) this.held.get(index)!.push(taken);
      else this.#answer(device, taken, answer);
    }
    // A device that polls no more asks for a kick of the next entry.
    device.setAvailEvent(device.availableIndex);
    this.listener!.signalled(index);
  }

  /** Answers a request that was kept. */
  answer(index: number, taken: Taken, answer: Answer): void {
    this.#answer(this.devices.get(index)!, taken, answer);
    this.listener!.signalled(index);
  }

  #answer(device: ScriptedDevice, taken: Taken, answer: Answer): void {
    device.write(taken, answer.bytes);
    device.put(taken.head, answer.usedLength ?? taken.writableLength);
  }
}
