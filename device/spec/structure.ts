/**
 * Structures of the documents as tables: each field by its name, with its
 * width, in the order of the text. Offsets follow from that.
 *
 * @module
 */

/** Width of a field: le16 and le32 are what their names say, in little-endian order. */
export type FieldType = "le32" | "le64";

const WIDTHS: Readonly<Record<FieldType, number>> = { le32: 4, le64: 8 };

/** A field of a structure. */
export interface Field {
  /** Its name in the document; a dot separates that of an inner structure. */
  readonly name: string;
  /** Its width. */
  readonly type: FieldType;
  /** Bytes from the structure's start. */
  readonly offset: number;
}

/** A structure of fixed size. */
export interface Structure<Name extends string> {
  /** Its name in the document. */
  readonly name: string;
  /** Where the document gives it. */
  readonly clause: string;
  /** Its size in bytes. */
  readonly size: number;
  /** Offset of each field in bytes. */
  readonly at: Readonly<Record<Name, number>>;
  /** The fields in order. */
  readonly fields: readonly Field[];
}

/**
 * Defines a structure.
 *
 * @param name its name in the document
 * @param clause where the document gives it
 * @param fields its fields in order, without holes
 * @param size its size in bytes where it is padded, as a union's member may be
 * @returns the structure
 */
export function structure<Name extends string>(
  name: string,
  clause: string,
  fields: Readonly<Record<Name, FieldType>>,
  size?: number,
): Structure<Name> {
  const list: Field[] = [];
  let offset = 0;
  for (const [field, type] of Object.entries<FieldType>(fields)) {
    list.push({ name: field, type, offset });
    offset += WIDTHS[type];
  }
  return {
    name,
    clause,
    size: size ?? offset,
    at: Object.fromEntries(
      list.map((field) => [field.name, field.offset]),
    ) as Record<Name, number>,
    fields: list,
  };
}
