/**
 * A frontend that sends what a test says, right or wrong.
 *
 * @module
 */

import { assertRejects } from "@std/assert";
import {
  ConnectionClosedError,
  RequestRefusedError,
} from "../../device/driver/vhost_user_channel.ts";
import { VhostUserFrontend } from "../../device/driver/vhost_user_frontend.ts";
import * as p from "../../device/vhost_user/protocol.ts";

/** Protocol features without REPLY_ACK. */
export const WITHOUT_ACK = ~(1n << BigInt(p.VHOST_USER_PROTOCOL_F_REPLY_ACK)) &
  0xffff_ffffn;

/**
 * Connects without negotiating.
 *
 * @param path the server's socket
 * @param timeoutMs how long to try, and to wait for answers
 * @returns the frontend
 */
export function connect(
  path: string,
  timeoutMs = 5000,
): Promise<VhostUserFrontend> {
  return VhostUserFrontend.connect(path, { timeoutMs });
}

/**
 * Connects and negotiates everything.
 *
 * @param path the server's socket
 * @param protocolFeatures protocol features to take; all when left out
 * @returns the frontend
 */
export async function negotiated(
  path: string,
  protocolFeatures = 0xffff_ffffn,
): Promise<VhostUserFrontend> {
  const frontend = await connect(path);
  await frontend.negotiate({ protocolFeatures });
  return frontend;
}

/**
 * Asserts that a request is refused, and that the connection stays.
 *
 * @param frontend a frontend with REPLY_ACK
 * @param request the request
 */
export async function assertRefused(
  frontend: VhostUserFrontend,
  request: () => Promise<unknown>,
): Promise<void> {
  await assertRejects(request, RequestRefusedError);
  await frontend.getFeatures();
}

/**
 * Asserts that the server closed the connection, and that it serves another.
 *
 * @param frontend the frontend whose connection it is
 * @param path the server's socket
 */
export async function assertClosed(
  frontend: VhostUserFrontend,
  path: string,
): Promise<void> {
  await assertRejects(() => frontend.receive(5000), ConnectionClosedError);
  await frontend.close();
  await using next = await connect(path);
  await next.getFeatures();
}
