import { assertEquals } from "@std/assert";
import { Exposition, labelsText } from "../../device/monitor/exposition.ts";

Deno.test("Metrics follow one another with an empty line between them", () => {
  const out = new Exposition();
  out.metric("a_total", "counter", "All of them.");
  out.sample(labelsText({ x: "1", y: "2" }), 3);
  out.sample("", 1e-7);
  out.metric("b", "histogram", "Their times.");
  out.sample(labelsText({ le: "+Inf" }), 2 ** 53, "_bucket");
  assertEquals(
    String(out),
    `# HELP a_total All of them.
# TYPE a_total counter
a_total{x="1",y="2"} 3
a_total 1e-7

# HELP b Their times.
# TYPE b histogram
b_bucket{le="+Inf"} 9007199254740992
`,
  );
});

Deno.test("Nothing in a label's value ends it", () => {
  assertEquals(
    labelsText({ device: '/tmp/"a"\\n\n.sock' }),
    String.raw`device="/tmp/\"a\"\\n\n.sock"`,
  );
});
