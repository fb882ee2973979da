/**
 * Keys that are found again, whole or in parts, wherever a process has them.
 *
 * Every 8 bytes of a key are 4 bytes that all keys have and 4 that no other
 * place has. So a part of 8 bytes tells which key it is of, and one look
 * through a process finds the parts of all keys.
 *
 * @module
 */

import { searchMemory } from "../support/process_memory.ts";

const BLOCK = 8;
const HALF = 4;

/** What a part of a key may have become, and how it is undone. */
const FORMS: readonly {
  readonly name: string;
  readonly of: (block: Uint8Array) => Uint8Array;
}[] = [
  // As the expanded keys of AES begin; of their inverse it is the end.
  { name: "as it is", of: (block) => block },
  // Words of the other byte order, and the blocks of HMAC (RFC 2104, 2).
  { name: "words reversed", of: swapWords },
  { name: "xor ipad", of: (block) => block.map((byte) => byte ^ 0x36) },
  { name: "xor opad", of: (block) => block.map((byte) => byte ^ 0x5c) },
];

/** Reverses each 4 bytes. */
function swapWords(bytes: Uint8Array): Uint8Array {
  const swapped = bytes.slice();
  for (let at = 0; at + HALF <= bytes.length; at += HALF) {
    swapped.set(bytes.slice(at, at + HALF).reverse(), at);
  }
  return swapped;
}

function numberOf(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
}

/** A part of a key that was found. */
export interface KeyFinding {
  /** What the key was called, and which 8 bytes of it. */
  readonly key: string;
  /** How it lies there. */
  readonly form: string;
  /** Where: address and mapping. */
  readonly where: string;
}

/** Makes keys, and finds them. */
export class MarkedKeys {
  readonly #mark = crypto.getRandomValues(new Uint8Array(HALF));
  readonly #blocks = new Map<number, string>();

  /**
   * Makes a key.
   *
   * @param length bytes; at least 8, or nothing of it is found
   * @param name what it is called in findings
   * @returns the key; nobody else has a part of it
   */
  make(length: number, name: string): Uint8Array<ArrayBuffer> {
    const key = new Uint8Array(length);
    crypto.getRandomValues(key);
    for (let at = 0; at + BLOCK <= length; at += BLOCK) {
      key.set(this.#mark, at);
      this.#blocks.set(numberOf(key, at + HALF), `${name}, byte ${at}`);
    }
    return key;
  }

  /**
   * Looks for parts of the keys in a text: hexadecimal or decimal numbers.
   *
   * @param text what a process wrote
   * @returns what was found
   */
  inText(text: string): string[] {
    const plain = text.toLowerCase().replaceAll(/[^0-9a-f]+/g, " ");
    return [...this.#blocks].flatMap(([number, name]) => {
      const block = new Uint8Array(HALF);
      new DataView(block.buffer).setUint32(0, number, true);
      const bytes = [...block];
      const forms = [
        bytes.map((b) => b.toString(16).padStart(2, "0")).join(""),
        bytes.map((b) => b.toString(16).padStart(2, "0")).join(" "),
        bytes.join(" "),
      ];
      return forms.some((form) => plain.includes(form)) ? [name] : [];
    });
  }

  /** Forgets the keys made so far: they may be found. */
  forget(): void {
    this.#blocks.clear();
  }

  /**
   * Looks for parts of the keys.
   *
   * @param pid the process to look through
   * @returns what was found, and how many bytes were looked through
   */
  async search(
    pid: number,
  ): Promise<{ findings: KeyFinding[]; bytes: number }> {
    const mark = new Uint8Array(BLOCK);
    mark.set(this.#mark);
    const needles = FORMS.map(({ of }) => of(mark).subarray(0, HALF));
    const { findings, bytes } = await searchMemory(pid, needles);
    return {
      bytes,
      findings: findings.flatMap(({ needle, bytes, address, mapping }) => {
        const { name, of } = FORMS[needle]!;
        // Each form is its own inverse.
        const key = bytes.length < BLOCK
          ? undefined
          : this.#blocks.get(numberOf(of(bytes.subarray(0, BLOCK)), HALF));
        bytes.fill(0);
        return key === undefined ? [] : [{
          key,
          form: name,
          where: `0x${address.toString(16)}, ${mapping}`,
        }];
      }),
    };
  }
}
