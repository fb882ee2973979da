// QEMU's generic vhost-user device: the guest sees this device itself, its configuration space and control queue
// included.

import {
  debianKernel,
  hasDevice,
  hostQemu,
  type Kernel,
  newestKernel,
  newestQemu,
  type Qemu,
} from "./packages.ts";
import { fullScenario, notCovered, probeScenario, QUEUES } from "./scenario.ts";

const DEVICE = "vhost-user-test-device-pci";
/** The device's configuration space in bytes. */
const CONFIG_SIZE = 56;

function device(socketPath: string): string[] {
  return [
    "-chardev",
    `socket,id=backend,path=${socketPath}`,
    "-device",
    `${DEVICE},chardev=backend,virtio-id=20,num_vqs=${QUEUES + 1},` +
    `config_size=${CONFIG_SIZE}`,
  ];
}

// These values are this device's own; QEMU's would be others.
const config = /max_auth_key_len: 512, max_size 0x1000000$/m;

await hostQemu();
const kernel = await debianKernel();
const qemu = await newestQemu();
const newer = await newestKernel();

async function reason(): Promise<string | undefined> {
  if (typeof qemu === "string") return qemu;
  if (!await hasDevice(qemu, DEVICE)) return `QEMU ${qemu.version} lacks it`;
  return undefined;
}
const missing = await reason();

Deno.test({
  name: `${DEVICE} with Linux ${kernel.release} has all of it working`,
  ignore: notCovered(DEVICE, missing),
  fn: async (t) => {
    await fullScenario(t, {
      qemu: qemu as Qemu,
      kernel,
      device,
      config,
      ring: ["indirect", "event-index", "packed"],
    });
  },
});

Deno.test({
  name: `${DEVICE} with the newest Linux probes and passes the self-test`,
  ignore: notCovered(
    `${DEVICE} with the newest Linux`,
    missing ?? (typeof newer === "string" ? newer : undefined),
  ),
  fn: async (t) => {
    await probeScenario(t, {
      qemu: qemu as Qemu,
      kernel: newer as Kernel,
      device,
      config,
      // Linux has learned the last one lately.
      ring: ["indirect", "event-index", "packed", "in-order"],
    });
  },
});
