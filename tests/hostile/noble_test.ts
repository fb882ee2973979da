import { survive } from "./survive.ts";

survive("noble");
