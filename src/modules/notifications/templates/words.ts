/**
 * What a message says, before it is drawn as HTML and as text. Templates write Words and know nothing of mail clients;
 * what draws them knows nothing of templates. All texts are plain: a line break in one stays, and markup in it is shown
 * as it stands.
 */
export type Block =
  /** A paragraph. */
  | string
  /** The one thing to do. */
  | { button: { label: string; url: string } }
  /** A few facts, each with its name. */
  | { facts: readonly (readonly [name: string, value: string])[] }
  /**
   * On a phone each row becomes facts named by the head, below its first cell as their title; where it is too wide for
   * plain text, all of it does.
   */
  | { table: Table }
  | { heading: string }
  /** Said more quietly than a paragraph. Addresses of the shop's own become links. */
  | { note: string };

export type Table = { head: readonly string[]; rows: readonly (readonly Cell[])[] };

/** Text; with an address that it leads to, or as something that went wrong, which stands out. */
export type Cell = string | { text: string; url?: string; isBad?: boolean };

export const textOf = (cell: Cell): string => (typeof cell === 'string' ? cell : cell.text);

export type Words = {
  /** Also the title that the message begins with. */
  subject: string;
  /** The first paragraph is what a list of messages shows beside the subject. */
  blocks: readonly Block[];
  /** Why the reader gets it, said as a note at the end; staff's messages also say where to opt out. */
  reason?: string;
};

/** What every template is told besides its data. */
export type Letterhead = { shop: string; publicUrl: string; timeZone: string; currency: string };
