import { survive } from "./survive.ts";

survive("libcrypto");
