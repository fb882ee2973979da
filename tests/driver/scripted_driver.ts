/**
 * A driver whose device follows a script.
 *
 * @module
 */

import { CryptoDriver } from "../../device/driver/driver.ts";
import type { DriverOptions } from "../../device/driver/driver_options.ts";
import type { CipherSessionOptions } from "../../device/driver/session_options.ts";
import { bytesOf } from "./hex.ts";
import type { Taken } from "./scripted_device.ts";
import {
  type Answer,
  type Script,
  type ScriptedOptions,
  ScriptedTransport,
} from "./scripted_transport.ts";

/** The number of the control queue. */
export const CONTROL = 2;

/** A session's key. */
export const KEY = bytesOf("6b65796b65796b65796b65796b65796b");

/** A session. */
export const CBC: CipherSessionOptions = {
  service: "cipher",
  algorithm: "aes-cbc",
  key: KEY,
  direction: "encrypt",
};

/** Answers a control request: sessions are numbered from 1. */
export function control(created = { count: 0 }): (taken: Taken) => Answer {
  return ({ readable }) => {
    const create = readable[0] === 2;
    if (create) created.count++;
    const answer = new Uint8Array(create ? 16 : 8);
    if (create) answer[0] = created.count;
    return { bytes: answer };
  };
}

/** Answers a legacy cipher request: the result is the source, inverted. */
export function invert({ readable, writableLength }: Taken): Answer {
  const bytes = new Uint8Array(writableLength);
  bytes.set(readable.subarray(72 + 16).map((byte) => byte ^ 0xff));
  return { bytes };
}

/** What a device does that answers control requests, and data requests thus. */
export function script(data: (taken: Taken) => Answer | undefined): Script {
  const answerControl = control();
  return (queue, taken) =>
    queue === CONTROL ? answerControl(taken) : data(taken);
}

/** A driver of a scripted device. */
export async function setUp(
  options: Partial<ScriptedOptions> = {},
  driverOptions: DriverOptions = {},
): Promise<{ transport: ScriptedTransport; driver: CryptoDriver }> {
  const transport = new ScriptedTransport({
    script: script(invert),
    ...options,
  });
  const driver = await CryptoDriver.attach(transport, driverOptions);
  return { transport, driver };
}

/** An iv. */
export const IV = new Uint8Array(16);
