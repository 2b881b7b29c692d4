/**
 * What a message says, before it is drawn as HTML and as text. Templates write Words and know nothing of mail clients;
 * what draws them knows nothing of templates.
 */
export type Block =
  /** A paragraph. */
  | string
  /** The one thing to do. */
  | { button: { label: string; url: string } }
  /** A few facts, each with its name. */
  | { facts: readonly (readonly [name: string, value: string])[] }
  | { table: { head: readonly string[]; rows: readonly (readonly string[])[] } }
  | { heading: string }
  /** Said more quietly than a paragraph. */
  | { note: string };

export type Words = {
  subject: string;
  blocks: readonly Block[];
  /** Why the reader gets it, said at the end; staff's messages also say where to opt out. */
  reason?: string;
};

/** What every template is told besides its data. */
export type Letterhead = { shop: string; publicUrl: string; timeZone: string; currency: string };
