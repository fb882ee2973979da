import { assertEquals } from "@std/assert";
import { missingToLoad } from "../../workers/permission.ts";

Deno.test({
  name: "a worker's module of a file needs to be read",
  permissions: { read: false },
  fn() {
    assertEquals(
      missingToLoad(new URL("file:///package/workers/data_queue.ts")),
      "--allow-read=/package/workers/",
    );
  },
});

Deno.test("a worker's module of jsr.io needs nothing, of another host its import", () => {
  assertEquals(missingToLoad(new URL("https://jsr.io/@a/b/1/w.ts")), undefined);
  assertEquals(
    missingToLoad(new URL("https://example.com/w.ts")),
    "--allow-import=example.com:443",
  );
  assertEquals(
    missingToLoad(new URL("http://127.0.0.1:8000/w.ts")),
    "--allow-import=127.0.0.1:8000",
  );
});
