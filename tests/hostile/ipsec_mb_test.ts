import { survive } from "./survive.ts";

survive("ipsec-mb");
