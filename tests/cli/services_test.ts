import { assert, assertEquals } from "@std/assert";
import { CONFIG_SIZE, decodeConfig } from "../../device/spec/config.ts";
import * as p from "../../device/vhost_user/protocol.ts";
import { CBC_INFO } from "../server/guest_session.ts";
import { connect } from "../server/raw_frontend.ts";
import { freshPath } from "../server/test_server.ts";
import { CliProcess } from "../support/server_process.ts";

Deno.test("serve --services offers these services, and no session by message of another", async () => {
  const paths = [freshPath(), freshPath()] as const;
  await using _server = await CliProcess.serve([
    ...paths.map((path) => `--socket-path=${path}`),
    "--services=mac,hash",
    "--engine=noble",
    "--log=error",
  ]);
  for (const path of paths) {
    await using frontend = await connect(path);
    // HASH_SESSION_MODE and MAC_SESSION_MODE.
    assertEquals(await frontend.getFeatures() & 0b11111n, 0b01100n);
    await frontend.negotiate();
    const config = decodeConfig((await frontend.getConfig(0, CONFIG_SIZE))!);
    const { cryptoServices, cipherAlgoL, aeadAlgo } = config;
    assertEquals([cryptoServices, cipherAlgoL, aeadAlgo], [0b0110, 0, 0]);
  }
  await using frontend = await connect(paths[0]);
  await frontend.negotiate({
    protocolFeatures: 1n << BigInt(p.VHOST_USER_PROTOCOL_F_CRYPTO_SESSION),
  });
  const id = await frontend.createCryptoSession(CBC_INFO, new Uint8Array(16));
  assert(id < 0n, `Session ${id}`);
});
