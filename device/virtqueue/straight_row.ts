/**
 * What is known of a straight chain, in a row of words: a field in an array of
 * its own takes three times as long.
 *
 * @module
 */

/** What a chain's number is shifted by to get its row. */
export const CHAIN_SHIFT = 4;
/** Words of a chain's row. */
export const CHAIN_WORDS = 1 << CHAIN_SHIFT;

/**
 * What the words of a chain's row are. Indices are of words in a view, and
 * addresses those of this process.
 */
export const ChainField = {
  /** Buffer id to return it by. */
  ID: 0,
  /** Index of the header's first word. */
  HEADER: 1,
  /** The session's id in the header, in halves. */
  SESSION_LOW: 2,
  SESSION_HIGH: 3,
  /** Index of the iv's first word, and halves of the iv's address. */
  IV: 4,
  IV_LOW: 5,
  IV_HIGH: 6,
  /** Halves of the source's address, and its bytes. */
  SOURCE_LOW: 7,
  SOURCE_HIGH: 8,
  SOURCE_LENGTH: 9,
  /** Halves of the destination's address, and its bytes. */
  DESTINATION_LOW: 10,
  DESTINATION_HIGH: 11,
  DESTINATION_LENGTH: 12,
  /** Offset of the status in its window, and the window. */
  STATUS: 13,
  STATUS_WINDOW: 14,
  /** The view that the header is in, and shifted by 16 that of the iv. */
  VIEWS: 15,
} as const;
