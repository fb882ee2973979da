import { survive } from "./survive.ts";

survive("auto");
