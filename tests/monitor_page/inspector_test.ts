/**
 * The inspector page in Debian's Chromium. One browser serves all the tests.
 *
 * @module
 */

import "./accessibility.ts";
import "./appearance.ts";
import "./connection.ts";
import "./real_server.ts";
import "./requests.ts";
import "./state.ts";
