import { assertEquals, assertStringIncludes } from "@std/assert";
import { ROOT } from "../support/server_process.ts";

const XML = await Deno.readTextFile(`${ROOT}packaging/libvirt/domain.xml`);

Deno.test("the domain's device is that of README.md's line for QEMU", async () => {
  const readme = await Deno.readTextFile(`${ROOT}README.md`);
  const args = [...XML.matchAll(/<qemu:arg value="([^"]*)" ?\/>/g)]
    .map(([, value]) => value!);
  assertEquals(args.filter((arg) => arg.startsWith("-")), [
    "-chardev",
    "-object",
    "-device",
  ]);
  for (const arg of args.filter((arg) => !arg.startsWith("-"))) {
    const kind = arg.slice(0, arg.indexOf(","));
    const [, inReadme = `${kind} is not there`] =
      new RegExp(`-(?:chardev|object|device) (${kind},\\S*)`).exec(readme) ??
        [];
    // Names differ, and libvirt's machine needs a place for the device.
    const shape = (text: string) =>
      text.replaceAll(/(id|path|chardev|cryptodev)=[^, ]+/g, "$1=")
        .replace(/,addr=\w+/, "");
    assertEquals(shape(arg), shape(inReadme));
  }
});

Deno.test("the domain's socket is that of the unit, and its memory is shared", async () => {
  const unit = await Deno.readTextFile(
    `${ROOT}packaging/systemd/virtio-crypto@.socket`,
  );
  const name = /<name>(\w+)<\/name>/.exec(XML)![1]!;
  const path = /^ListenStream=(.*)$/m.exec(unit)![1]!.replace("%i", name);
  assertStringIncludes(XML, `path=${path}"`);
  assertStringIncludes(XML, `<access mode="shared" />`);
});
