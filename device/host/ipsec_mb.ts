/**
 * Bindings of Intel's Multi-Buffer Crypto for IPsec library
 * (`intel-ipsec-mb.h`, from version 1.3 on).
 *
 * The library works through a manager, a structure of function pointers, a
 * ring of jobs and the lanes that jobs run in. Here the manager lies in memory
 * of the caller, so that jobs are filled in by plain stores. Its functions are
 * called by the name they are exported under, which depends on the processor:
 * a call through a pointer costs microseconds. Finding the name of each pointer
 * also shows that the structure is laid out as it is expected to be.
 *
 * Addresses are `u64` parameters passed as BigInt; the pointers to jobs that
 * come back are cut to their low 32 bits, which makes no garbage and is enough
 * where all jobs lie within 4 GiB.
 *
 * @module
 */

import { LibraryError } from "./library_error.ts";

const LIBRARY = "libIPSec_MB.so.1";
const HINT = "it is in the Debian package libipsec-mb1";

/** IMB_VERSION(1, 3, 0), the first version with bursts of ciphers and hashes. */
const LEAST_VERSION = 0x1_03_00;

/** IMB_FEATURE_SHANI: the processor has SHA extensions. */
const FEATURE_SHANI = 1 << 0;

/** IMB_FEATURE_SAFE_DATA: the library clears keys and data it has worked on. */
const FEATURE_SAFE_DATA = 1 << 14;

/** Alignment of the manager in bytes. */
const MANAGER_ALIGNMENT = 64n;

// Offsets in IMB_MGR in bytes. New functions are added behind the last one
// here: "Careful as changes here can break ABI compatibility".
/** features (u64) */
const MGR_FEATURES = 8;
/** imb_errno (i32) */
const MGR_ERRNO = 60;
/** Pointers to functions (u64 each), by what they are called here. */
const MGR_FUNCTIONS = {
  getNextJob: 64,
  submitJobNocheck: 80,
  flushJob: 96,
  keyexp128: 112,
  keyexp192: 120,
  keyexp256: 128,
  cmacSubkeyGen128: 136,
  xcbcKeyexp: 144,
  desKeySched: 152,
  sha1OneBlock: 160,
  sha224OneBlock: 168,
  sha256OneBlock: 176,
  sha384OneBlock: 184,
  sha512OneBlock: 192,
  md5OneBlock: 200,
  gcm128Pre: 448,
  gcm192Pre: 456,
  gcm256Pre: 464,
  kasumiInitF8KeySched: 568,
  kasumiInitF9KeySched: 576,
  snow3gInitKeySched: 664,
  cmacSubkeyGen256: 808,
  submitCipherBurstNocheck: 992,
  submitHashBurstNocheck: 1008,
} as const;

/** Symbols that are there on every processor, each with its C signature. */
const COMMON_SYMBOLS = {
  // unsigned imb_get_version(void)
  imb_get_version: { parameters: [], result: "u32" },
  // size_t imb_get_mb_mgr_size(void)
  imb_get_mb_mgr_size: { parameters: [], result: "usize" },
  // IMB_MGR *imb_set_pointers_mb_mgr(void *ptr, const uint64_t flags,
  //                                  const unsigned reset_mgr)
  imb_set_pointers_mb_mgr: {
    parameters: ["u64", "u64", "u32"],
    result: "u64",
  },
  // void init_mb_mgr_auto(IMB_MGR *state, IMB_ARCH *arch)
  init_mb_mgr_auto: { parameters: ["u64", "pointer"], result: "void" },
  // The C library, which the library depends on:
  // void *dlopen(const char *filename, int flags)
  dlopen: { parameters: ["buffer", "i32"], result: "u64" },
  // void *dlsym(void *handle, const char *symbol)
  dlsym: { parameters: ["u64", "buffer"], result: "u64" },
  // void *memcpy(void *dest, const void *src, size_t n)
  memcpy: { parameters: ["u64", "u64", "u64"], result: "void" },
} as const satisfies Deno.ForeignLibraryInterface;

/** RTLD_LAZY | RTLD_NOLOAD */
const DLOPEN_FLAGS = 1 | 4;

// void expand(const void *key, void *, …), or (const void *block, void *state)
const TWO = { parameters: ["u64", "u64"], result: "void" } as const;
const THREE = { parameters: ["u64", "u64", "u64"], result: "void" } as const;
const FOUR = {
  parameters: ["u64", "u64", "u64", "u64"],
  result: "void",
} as const;
// IMB_JOB *function(IMB_MGR *state)
const OF_MANAGER = { parameters: ["u64"], result: "u32" } as const;

/** Functions of the manager, each with its C signature. */
const MANAGER_SYMBOLS = {
  // IMB_JOB *get_next_job(IMB_MGR *state)
  getNextJob: OF_MANAGER,
  // IMB_JOB *submit_job_nocheck(IMB_MGR *state)
  submitJobNocheck: OF_MANAGER,
  // IMB_JOB *flush_job(IMB_MGR *state)
  flushJob: OF_MANAGER,
  // uint32_t submit_cipher_burst_nocheck(IMB_MGR *state, IMB_JOB *jobs,
  //   const uint32_t n_jobs, const IMB_CIPHER_MODE cipher,
  //   const IMB_CIPHER_DIRECTION dir, const IMB_KEY_SIZE_BYTES key_size)
  submitCipherBurstNocheck: {
    parameters: ["u64", "u64", "u32", "u32", "u32", "u32"],
    result: "u32",
  },
  // uint32_t submit_hash_burst_nocheck(IMB_MGR *state, IMB_JOB *jobs,
  //   const uint32_t n_jobs, const IMB_HASH_ALG hash)
  submitHashBurstNocheck: {
    parameters: ["u64", "u64", "u32", "u32"],
    result: "u32",
  },
  // void keyexp(const void *key, void *enc_exp_keys, void *dec_exp_keys)
  keyexp128: THREE,
  keyexp192: THREE,
  keyexp256: THREE,
  // void cmac_subkey_gen(const void *key_exp, void *key1, void *key2)
  cmacSubkeyGen128: THREE,
  cmacSubkeyGen256: THREE,
  // void xcbc_keyexp(const void *key, void *k1_exp, void *k2, void *k3)
  xcbcKeyexp: FOUR,
  // int des_key_sched(uint64_t *ks, const void *key)
  desKeySched: TWO,
  // void one_block(const void *data, void *digest)
  md5OneBlock: TWO,
  sha1OneBlock: TWO,
  sha224OneBlock: TWO,
  sha256OneBlock: TWO,
  sha384OneBlock: TWO,
  sha512OneBlock: TWO,
  // void gcm_pre(const void *key, struct gcm_key_data *key_data)
  gcm128Pre: TWO,
  gcm192Pre: TWO,
  gcm256Pre: TWO,
  // int init_key_sched(const void *key, kasumi_key_sched_t *)
  kasumiInitF8KeySched: TWO,
  kasumiInitF9KeySched: TWO,
  // int init_key_sched(const void *key, snow3g_key_schedule_t *)
  snow3gInitKeySched: TWO,
} as const satisfies Record<keyof typeof MGR_FUNCTIONS, Deno.ForeignFunction>;

/** What the functions are exported as, without the name of the processor's. */
const EXPORTED: Readonly<Record<keyof typeof MGR_FUNCTIONS, string>> = {
  getNextJob: "get_next_job",
  submitJobNocheck: "submit_job_nocheck",
  flushJob: "flush_job",
  submitCipherBurstNocheck: "submit_cipher_burst_nocheck",
  submitHashBurstNocheck: "submit_hash_burst_nocheck",
  keyexp128: "aes_keyexp_128",
  keyexp192: "aes_keyexp_192",
  keyexp256: "aes_keyexp_256",
  cmacSubkeyGen128: "aes_cmac_subkey_gen",
  cmacSubkeyGen256: "aes_cmac_256_subkey_gen",
  xcbcKeyexp: "aes_xcbc_expand_key",
  desKeySched: "des_key_schedule",
  md5OneBlock: "md5_one_block",
  sha1OneBlock: "sha1_one_block",
  sha224OneBlock: "sha224_one_block",
  sha256OneBlock: "sha256_one_block",
  sha384OneBlock: "sha384_one_block",
  sha512OneBlock: "sha512_one_block",
  gcm128Pre: "aes_gcm_pre_128",
  gcm192Pre: "aes_gcm_pre_192",
  gcm256Pre: "aes_gcm_pre_256",
  kasumiInitF8KeySched: "kasumi_init_f8_key_sched",
  kasumiInitF9KeySched: "kasumi_init_f9_key_sched",
  snow3gInitKeySched: "snow3g_init_key_sched",
};

/** Ends of exported names, by processor. */
const SUFFIXES: readonly string[] = [
  "",
  ...["avx10", "avx512", "avx2", "avx", "sse"].flatMap((arch) => [
    `_${arch}`,
    ...[1, 2, 3, 4].map((type) => `_${arch}_t${type}`),
  ]),
  "_vaes_avx512",
  "_avx_gen4",
  "_avx_gen2",
];

/** What the library uses of a processor. */
export interface Processor {
  /** Bits of its registers: 128, 256 or 512. */
  readonly registers: number;
  /** Whether it has SHA extensions. */
  readonly hasSha: boolean;
}

/** The functions of a manager, ready to be called. */
export type IpsecMbFunctions = Deno.StaticForeignLibraryInterface<
  typeof MANAGER_SYMBOLS
>;

/** A manager of jobs. */
export interface Manager {
  /** Where it is. */
  readonly address: bigint;
  /** Its functions. */
  readonly functions: IpsecMbFunctions;
  /** What they are made for. */
  readonly processor: Processor;
}

/** The library, opened once in each thread. */
export interface IpsecMb {
  /** IMB_VERSION_NUM: major << 16, minor << 8, patch. */
  readonly version: number;
  /** Bytes of memory a manager takes, alignment included. */
  readonly managerSize: number;
  /** Copies memory: void *memcpy(void *dest, const void *src, size_t n). */
  memcpy(to: bigint, from: bigint, size: bigint): void;
  /**
   * Makes a manager.
   *
   * @param memory zeroed memory of at least {@linkcode managerSize} bytes, at
   * its start; it has to stay reachable
   * @param address where that memory is
   * @returns the manager's address and functions, and what they are made for
   * @throws {LibraryError} The library cannot work on this processor, or the
   * structure is not laid out as expected
   */
  createManager(
    memory: Uint8Array<ArrayBuffer>,
    address: bigint,
  ): Manager;
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text + "\0");
}

type Common = Deno.DynamicLibrary<typeof COMMON_SYMBOLS>["symbols"];

/** Bits of the registers that functions of a name's end work with. */
function registersOf(suffix: string): number {
  if (/avx(512|10)/.test(suffix)) return 512;
  return suffix.includes("avx2") ? 256 : 128;
}

/** The functions of a manager by the names they are exported under. */
function resolve(
  common: Common,
  manager: DataView,
): Omit<Manager, "address"> {
  const handle = common.dlopen(cString(LIBRARY), DLOPEN_FLAGS);
  const symbols: Record<string, Deno.ForeignFunction> = {};
  let registers = 0;
  for (const key of Object.keys(EXPORTED) as (keyof typeof EXPORTED)[]) {
    const pointer = manager.getBigUint64(MGR_FUNCTIONS[key], true);
    const suffix = pointer === 0n
      ? undefined
      : SUFFIXES.find((suffix) =>
        common.dlsym(handle, cString(EXPORTED[key] + suffix)) === pointer
      );
    if (suffix === undefined) {
      throw new LibraryError(
        `Cannot use ${LIBRARY}: no exported function is the manager's ${
          EXPORTED[key]
        }`,
      );
    }
    symbols[key] = { ...MANAGER_SYMBOLS[key], name: EXPORTED[key] + suffix };
    // Some of the others are the same on several processors.
    if (key === "submitJobNocheck") registers = registersOf(suffix);
  }
  const hasSha = (manager.getUint32(MGR_FEATURES, true) & FEATURE_SHANI) !== 0;
  return {
    functions: Deno.dlopen(LIBRARY, symbols as typeof MANAGER_SYMBOLS).symbols,
    processor: { registers, hasSha },
  };
}

function open(): IpsecMb {
  let common: Common;
  try {
    common = Deno.dlopen(LIBRARY, COMMON_SYMBOLS).symbols;
  } catch (cause) {
    throw new LibraryError(
      `Cannot open ${LIBRARY}: ${HINT}, and needs --allow-ffi`,
      { cause },
    );
  }
  const version = common.imb_get_version();
  if (version < LEAST_VERSION) {
    throw new LibraryError(
      `Cannot use ${LIBRARY} of version 0x${
        version.toString(16)
      }: 1.3 or newer is needed`,
    );
  }
  const managerSize = Number(common.imb_get_mb_mgr_size()) +
    Number(MANAGER_ALIGNMENT);
  let resolved: Omit<Manager, "address"> | undefined;
  return {
    version,
    managerSize,
    memcpy: common.memcpy,
    createManager(memory, address) {
      const start = -address & (MANAGER_ALIGNMENT - 1n);
      const view = new DataView(
        memory.buffer,
        memory.byteOffset + Number(start),
      );
      const manager = address + start;
      common.imb_set_pointers_mb_mgr(manager, 0n, 1);
      common.init_mb_mgr_auto(manager, null);
      const error = view.getInt32(MGR_ERRNO, true);
      if (error !== 0) {
        throw new LibraryError(
          `Cannot use ${LIBRARY} on this processor: its error ${error}`,
        );
      }
      if ((view.getUint32(MGR_FEATURES, true) & FEATURE_SAFE_DATA) === 0) {
        throw new LibraryError(
          `Cannot use ${LIBRARY}: it was built without SAFE_DATA, and leaves keys in memory`,
        );
      }
      resolved ??= resolve(common, view);
      return { address: manager, ...resolved };
    },
  };
}

let library: IpsecMb | undefined;

/**
 * The library, opened the first time it is asked for. Each thread opens its
 * own, and it stays open for as long as the thread lives.
 *
 * @returns the library
 * @throws {LibraryError} It is not there, too old, or FFI is not permitted
 */
export function ipsecMb(): IpsecMb {
  return library ??= open();
}
