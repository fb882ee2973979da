/**
 * A device as it is seen from outside.
 *
 * @module
 */

import { type SessionId, sessionIdText } from "../session/registry.ts";
import { algorithmOf } from "../service/algorithms.ts";
import { counterRow, rowLabels } from "../service/counter_rows.ts";
import { VIRTIO_CRYPTO_OP_DECRYPT } from "../spec/constants.ts";
import { SERVICE_NAMES } from "../spec/names.ts";
import type { OperationParameters } from "../spec/session_parameters.ts";
import type { Connection } from "./connection.ts";
import { featureNames } from "./features.ts";
import type {
  DeviceSnapshot,
  QueueSnapshot,
  SessionSnapshot,
  VringSnapshot,
} from "./snapshot.ts";
import type { VhostUserDevice } from "./vhost_user_device.ts";

/** Most sessions that are listed. */
const LISTED_SESSIONS = 200;

const NOT_SET_UP: VringSnapshot = {
  running: false,
  enabled: false,
  broken: null,
  ring: null,
};

function sessionSnapshot(
  id: SessionId,
  parameters: OperationParameters,
): SessionSnapshot {
  const { service, algorithm, op } = parameters;
  const names = rowLabels(counterRow(parameters)).algorithm?.split("+");
  return {
    id: sessionIdText(id),
    service: SERVICE_NAMES[service]!,
    algorithm: algorithmOf(service, algorithm)?.name ?? String(algorithm),
    hash: names?.[1] ?? null,
    op: op === 0
      ? null
      : op === VIRTIO_CRYPTO_OP_DECRYPT
      ? "decrypt"
      : "encrypt",
    keyLength: parameters.keyLength,
    authKeyLength: parameters.authKeyLength,
    resultLength: parameters.resultLength,
  };
}

function queueSnapshots(
  device: VhostUserDevice,
  connection: Connection | undefined,
): QueueSnapshot[] {
  const { core, queueCount, control } = device;
  const sessionMessages = connection?.mode === "cryptodev";
  const queues: QueueSnapshot[] = [];
  for (let index = 0; index < queueCount; index++) {
    const isControl = index === queueCount - 1 && !sessionMessages;
    // The last queue's worker starts when it is first used.
    const counters = isControl ? control.counters : core.counters[index];
    if (counters === undefined) continue;
    queues.push({
      index,
      kind: isControl ? "control" : "data",
      ...(connection?.ring(index) ?? NOT_SET_UP),
      statistics: counters.read(),
    });
  }
  return queues;
}

/**
 * A device at this moment.
 *
 * @param socket the path of its socket
 * @param device the device
 * @param connection who is connected to it
 * @returns plain data
 */
export function deviceSnapshot(
  socket: string,
  device: VhostUserDevice,
  connection: Connection | undefined,
): DeviceSnapshot {
  const { settings, sessions } = device.core;
  return {
    socket,
    connected: connection !== undefined,
    mode: connection?.mode ?? null,
    features: featureNames(connection?.features ?? 0n, settings.spec),
    maxSize: settings.maxSize,
    sessions: {
      live: sessions.size,
      most: settings.maxSessions,
      list: sessions.list(LISTED_SESSIONS).map(({ id, parameters }) =>
        sessionSnapshot(id, parameters)
      ),
    },
    memory: (connection?.memory ?? []).map(({ guestAddress, size }) => ({
      guestAddress: `0x${guestAddress.toString(16)}`,
      size,
    })),
    engines: device.core.capabilities.engineNames,
    queues: queueSnapshots(device, connection),
  };
}
