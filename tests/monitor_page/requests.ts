import { assert, assertEquals, assertMatch } from "@std/assert";
import type { FakeServer } from "./fake_server.ts";
import type { Page } from "./page.ts";
import { pageTest } from "./page_test_case.ts";
import {
  forgedRequest,
  request,
  type RequestRecord,
  SHORT,
  shortRequest,
} from "./snapshots.ts";

/** Requests 1 to n: 3 is short, 5 forged, 7 of no service, the others good. */
function some(n: number): RequestRecord[] {
  return Array.from({ length: n }, (_, i) => {
    const sequence = i + 1;
    if (sequence === 3) return shortRequest(sequence);
    if (sequence === 5) return forgedRequest(sequence);
    if (sequence === 7) {
      return request(sequence, {
        service: null,
        algorithm: null,
        operation: "0x1234",
        session: null,
        status: null,
        fault: "The chain has no writable byte",
        fields: [],
      });
    }
    return request(sequence);
  });
}

/** The numbers of the requests in the list. */
async function listed(page: Page): Promise<number[]> {
  return await page.get(
    "[...document.querySelectorAll('#request-rows button')].map((b) => Number(b.textContent))",
  );
}

async function send(
  page: Page,
  server: FakeServer,
  requests: readonly RequestRecord[],
): Promise<void> {
  const last = requests.at(-1)!.sequence;
  server.requests(requests);
  await page.until(
    `document.querySelector('#request-rows button')?.textContent === '${last}'`,
  );
}

pageTest(
  "requests are listed, the newest first, with what was wrong",
  async (page, server) => {
    assertEquals(
      await page.text("#no-requests"),
      "No request has come since this page was opened.",
    );
    await send(page, server, some(8));
    assertEquals(await listed(page), [8, 7, 6, 5, 4, 3, 2, 1]);
    const rows = await page.rows("#request-rows");
    assertMatch(
      rows[0]!,
      /^8 \d\d:04:05\.040 0 aes-cbc CIPHER encrypt 136 → 17 1\.2 µs OK$/,
    );
    assertMatch(
      rows[1]!,
      /0x1234 The chain has no writable byte .* no status$/,
    );
    assertMatch(rows[3]!, /aes-gcm AEAD decrypt The tag is not .* BADMSG$/);
    assertEquals(await page.text("#log-note"), "8 requests recorded");
  },
);

pageTest(
  "the list is filtered by status, queue, service, text and problems",
  async (page, server) => {
    await send(page, server, some(8));
    const filter = async (name: string, value: string): Promise<number[]> => {
      await page.choose(`#filters [name=${name}]`, value);
      const found = await listed(page);
      await page.choose(`#filters [name=${name}]`, "");
      return found;
    };
    assertEquals(await filter("status", "OK"), [8, 6, 4, 2, 1]);
    assertEquals(await filter("status", "refused"), [7, 5, 3]);
    assertEquals(await filter("status", "BADMSG"), [5]);
    assertEquals(await filter("status", "none"), [7]);
    assertEquals(await filter("queue", "0"), [8, 6, 4, 2]);
    assertEquals(await filter("service", "AEAD"), [5]);
    assertEquals(await filter("service", "none"), [7]);
    await page.get("document.querySelector('#filters [name=text]').focus()");
    await page.type("GCM tag");
    assertEquals(await listed(page), [5]);
    await page.get("document.querySelector('#filters').reset()");
    await page.click("#filters [name=problems]");
    assertEquals(await listed(page), [7, 5, 3]);
    await page.choose("#filters [name=status]", "OK");
    assertEquals(await listed(page), []);
    assertEquals(
      await page.text("#no-requests"),
      "No request passes the filter.",
    );
  },
);

pageTest(
  "a pause holds the list and counts what comes",
  async (page, server) => {
    await send(page, server, some(4));
    await page.click("#pause");
    assertEquals(await page.text("#pause"), "Resume");
    server.requests([request(5), request(6)], 10);
    await page.until(
      "document.querySelector('#log-note').innerText.startsWith('Paused, 12 newer requests')",
    );
    assertEquals(await listed(page), [4, 3, 2, 1]);
    await page.click("#pause");
    await page.until(
      "document.querySelector('#request-rows button').textContent === '6'",
    );
    assertEquals(
      await page.text("#log-note"),
      "A sample of 6 of 16 requests",
    );
  },
);

pageTest(
  "a flood neither grows the list nor washes away what was wrong",
  async (page, server) => {
    await send(page, server, some(8));
    for (let batch = 0; batch < 4; batch++) {
      const from = 100 + batch * 200;
      await send(
        page,
        server,
        Array.from({ length: 200 }, (_, i) => request(from + i)),
      );
    }
    assertEquals((await listed(page)).length, 200);
    await page.click("#filters [name=problems]");
    assertEquals(await listed(page), [7, 5, 3]);
  },
);

pageTest(
  "a request is found, opened and read with the keyboard alone",
  async (page, server) => {
    await send(page, server, some(8));
    await page.get(
      "document.querySelector('#filters [name=problems]').focus()",
    );
    await page.press(" ", "Tab");
    const focused = "document.activeElement.innerText";
    assertEquals(await page.get(focused), "7");
    // A list that somebody is in stands still.
    assertEquals(await page.text("#pause"), "Resume");
    await page.press("ArrowDown", "ArrowDown");
    assertEquals(await page.get(focused), "3");
    assertEquals(await page.text("#detail-heading"), "Request 3 of queue 1");
    await page.press("Enter");
    assertEquals(await page.get(focused), "Request 3 of queue 1");
    await page.press("Escape");
    assertEquals(await page.get(focused), "3");
    await page.press("Home");
    assertEquals(await page.text("#detail-heading"), "Request 7 of queue 1");
    assertEquals(
      await page.get(
        "[...document.querySelectorAll('#request-rows [aria-current=true]')].map((b) => b.textContent).join()",
      ),
      "7",
    );
  },
);

pageTest(
  "a request is decoded field by field, and what is wrong marked",
  async (page, server) => {
    await send(page, server, some(3));
    await page.click("#request-rows tr:first-child td:nth-child(4)");
    assertEquals(
      await page.text("#detail .problems"),
      `What was wrong ${SHORT}`,
    );
    const rows = await page.rows(".fields");
    assertEquals(rows[0], "Offset Size Field Value Meaning");
    assert(rows.includes("0 4 header.opcode 0x0 VIRTIO_CRYPTO_CIPHER_ENCRYPT"));
    assert(
      rows.includes("8 8 header.session_id 0x100000000 slot 0, generation 1"),
    );
    assert(rows.includes("16 1 inhdr.status –"));
    assertEquals(
      await page.get(
        "[...document.querySelectorAll('.fields .wrong')].map((row) => row.innerText.replace(/\\s+/g, ' ').trim())",
      ),
      [`44 4 dst_data_len 0xc 12 Problem: ${SHORT}`],
    );
    assertMatch(
      await page.text("#detail .facts"),
      /Layout v15 Mode session Service CIPHER Algorithm aes-cbc Session 0x100000000 .*Readable part 136 bytes Writable part 17 bytes Round 1\.2 µs, 4 requests/,
    );
    await page.click("#detail button:last-child");
    assertEquals(await page.text("#detail-heading"), "No request chosen");
  },
);

pageTest(
  "the server's own word for a field's problem is taken",
  async (page, server) => {
    const record = request(1, {
      status: "ERR",
      problems: ["The lengths sum up to 99 bytes"],
    });
    const fields = record.fields.map((field) =>
      field.name === "src_data_len" ? { ...field, problem: "Too long" } : field
    );
    await send(page, server, [{ ...record, fields }]);
    await page.click("#request-rows button");
    assertEquals(
      await page.text(".fields .wrong"),
      "40 4 src_data_len 0x10 16 Problem: Too long",
    );
  },
);
