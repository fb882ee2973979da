/**
 * Serves a device to QEMU from a program, until a signal.
 *
 *     deno run --allow-ffi --allow-read examples/serve_qemu.ts /tmp/crypto.sock
 *
 * and then, beside the machine's other options (QEMU 7.2 and later):
 *
 *     -object memory-backend-memfd,id=memory,size=512M,share=on \
 *     -machine q35,memory-backend=memory \
 *     -chardev socket,id=backend,path=/tmp/crypto.sock \
 *     -object cryptodev-vhost-user,id=cryptodev,chardev=backend,queues=2 \
 *     -device virtio-crypto-pci,cryptodev=cryptodev
 *
 * @module
 */

import { VhostUserServer } from "../mod.ts";

const [socketPath] = Deno.args;
const server = VhostUserServer.listen({
  socketPath,
  queues: 2,
  events: {
    connected: () => console.log("A frontend connected"),
    disconnected: () => {
      const [queues = []] = server.statistics;
      const requests = queues.reduce((sum, queue) => sum + queue.requests, 0);
      console.log(`The frontend is gone after ${requests} requests`);
    },
    queueFailed: (_socket, queue, reason) =>
      console.warn(`Queue ${queue} is served no more: ${reason}`),
  },
});
console.log(`Serving on ${socketPath}`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => server.close());
}
await server.finished;
console.log("Closed");
Deno.exit();
