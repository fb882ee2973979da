// QEMU's own virtio-crypto device with this one as its backend: QEMU owns the control queue and the configuration
// space, the backend gets sessions as messages and serves the data queues.

import { debianKernel, hostQemu, newestQemu, type Qemu } from "./packages.ts";
import { fullScenario, notCovered, QUEUES, shortScenario } from "./scenario.ts";

function device(socketPath: string): string[] {
  return [
    "-chardev",
    `socket,id=backend,path=${socketPath}`,
    "-object",
    `cryptodev-vhost-user,id=cryptodev,chardev=backend,queues=${QUEUES}`,
    // With vectors QEMU 7.2 fails where KVM is not there to take the interrupts.
    "-device",
    "virtio-crypto-pci,cryptodev=cryptodev,vectors=0",
  ];
}

// QEMU offers its guests no packed rings here, whatever the backend offers.
const ring = ["indirect", "event-index"] as const;

const kernel = await debianKernel();
const host = await hostQemu();
const newest = await newestQemu();

Deno.test(`cryptodev-vhost-user of QEMU ${host.version} with Linux ${kernel.release} has all of it working`, async (t) => {
  await fullScenario(t, { qemu: host, kernel, device, ring });
});

Deno.test({
  // Its session messages are of another size than those of QEMU 7.
  name: "cryptodev-vhost-user of the newest QEMU works",
  ignore: notCovered(
    "cryptodev-vhost-user of the newest QEMU",
    typeof newest === "string" ? newest : undefined,
  ),
  fn: async (t) => {
    await shortScenario(t, { qemu: newest as Qemu, kernel, device, ring });
  },
});
