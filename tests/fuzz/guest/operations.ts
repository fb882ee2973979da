/**
 * What a case is made of: a machine and a sequence of operations, all plain
 * data that reads well as JSON.
 *
 * @module
 */

import type { MachineSetup } from "./device.ts";

/** A change of one descriptor of a chain, counted in the order of writing. */
export interface DescriptorPatch {
  /** Which one: direct ones and table entries first, then the table's. */
  readonly at: number;
  /** In hexadecimal, 64 bits. */
  readonly address?: string;
  readonly length?: number;
  readonly flags?: number;
  readonly next?: number;
}

/** How a request lies in memory. */
export interface Placement {
  /** Lengths of the readable buffers; the last one takes the rest. */
  readonly readable: readonly number[];
  /** Lengths of the writable buffers. */
  readonly writable: readonly number[];
  readonly style: "direct" | "indirect" | "mixed";
  /** Bytes between buffers. */
  readonly gap: number;
  /** Each begins at a multiple of 16 bytes instead. */
  readonly aligned?: boolean;
  /** In the region apart. */
  readonly high?: boolean;
  readonly patches?: readonly DescriptorPatch[];
}

/** What any request can have wrong with it. */
export interface Bent {
  /** le32 values by their offset in the readable part. */
  readonly words?: readonly (readonly [at: number, value: number])[];
  /** Bytes more than its fields say, or fewer. */
  readonly extra?: number;
}

/** Layouts that data requests are built in. */
export type FormName = "legacy" | "revision1" | "v15" | "revision1-stateless";

/** A creation of a session. */
export interface CreateOperation extends Bent {
  readonly op: "create";
  readonly service: number;
  readonly algorithm: number;
  readonly direction: number;
  readonly keyLength: number;
  readonly resultLength: number;
  readonly chain?: {
    readonly order: number;
    readonly mode: number;
    readonly hash: number;
    readonly authKeyLength: number;
  };
  readonly padded: boolean;
  readonly queueId: number;
  /** Seed of the keys. */
  readonly data: number;
  readonly placement: Placement;
}

/** A destruction of a session. */
export interface DestroyOperation extends Bent {
  readonly op: "destroy";
  readonly service: number;
  /** Number of the session in the order of creation. */
  readonly session: number;
  /** What its id is changed by, in hexadecimal. */
  readonly idXor?: string;
  readonly padded: boolean;
  readonly placement: Placement;
}

/** A data request. */
export interface RequestOperation extends Bent {
  readonly op: "request";
  readonly queue: number;
  readonly form: FormName;
  readonly opcode: number;
  readonly flag: number;
  readonly session: number;
  readonly idXor?: string;
  readonly chained: boolean;
  /** Fields of the fixed part, by the names of the documents. */
  readonly fields: Readonly<Record<string, number>>;
  /** Bytes behind the fixed part. */
  readonly variable: number;
  /** Seed of those bytes. */
  readonly data: number;
  /** Whether the tag of an AEAD decryption is made right. */
  readonly sealed?: boolean;
  readonly placement: Placement;
}

/** One operation. */
export type GuestOperation =
  | CreateOperation
  | DestroyOperation
  | RequestOperation
  /** The device serves a queue. */
  | { readonly op: "run"; readonly queue: number }
  /** A head, or what stands in a packed ring, is made available. */
  | { readonly op: "again"; readonly queue: number; readonly value: number }
  /** The driver's index moves on by itself. */
  | { readonly op: "jump"; readonly queue: number; readonly by: number }
  /** 16 bits of the ring change. */
  | {
    readonly op: "poke";
    readonly queue: number;
    readonly at: number;
    readonly value: number;
  }
  /** What the driver wants to be told of. */
  | { readonly op: "wanted"; readonly queue: number; readonly value: number }
  /** A word of the ring, or behind it, changes while the device serves. */
  | {
    readonly op: "race";
    readonly queue: number;
    readonly at: number;
    readonly mask: number;
  }
  /** The ring stops and starts again, anew or where it was. */
  | { readonly op: "restart"; readonly queue: number; readonly anew: boolean }
  /** All sessions end. */
  | { readonly op: "clear" };

/** Targets over a machine. */
export type GuestTarget = "requests" | "rings" | "sessions";

/** A case of a machine. */
export interface GuestCase {
  readonly target: GuestTarget;
  readonly setup: MachineSetup;
  readonly operations: readonly GuestOperation[];
}
