import type { AccountMail, Recipient } from '../accounts/index.ts';

/** Every message that the shop writes, by its template, with what the template fills in. */

/** Of a product that was created or changed, as a person reads it. */
export type ProductChange = {
  action: 'created' | 'updated';
  name: string;
  sku: string;
  url: string;
  /** Field by field: `Price`, `19.99 USD → 17.99 USD`. */
  changes: readonly { field: string; text: string }[];
  at: Date;
};

type OtherMailData = {
  /** `actor` is their username; null when their account is gone. */
  product_changed: { actor: string | null; change: ProductChange };
  /** What `actor` did within a few minutes beyond what was told one by one: the first of the changes, and how many. */
  products_digest: { actor: string | null; changes: readonly ProductChange[]; total: number };
  import_finished: {
    fileName: string;
    counts: Readonly<Record<'read' | 'created' | 'updated' | 'unchanged' | 'existing' | 'rejected', number>>;
    /** The first of them. */
    outcomes: readonly { outcome: string; sku: string | null; line: number | null; message: string }[];
    totalOutcomes: number;
    /** Where all of them can be had. */
    csvUrl: string;
    isAttached: boolean;
  };
  import_failed: { fileName: string; reason: string; line: number | null; column: number | null };
  /** The first of the products, and how many fell by one and the same doing. */
  low_stock: {
    products: readonly { name: string; sku: string; stock: number; url: string }[];
    total: number;
    threshold: number;
  };
  /** The first of the jobs, and how many were given up. */
  job_failed: { jobs: readonly { id: string; task: string; attempts: number; error: string }[]; total: number };
  /** `gone` when the endpoint said so itself, by 410. */
  webhook_disabled: { url: string; reason: 'failing' | 'gone'; failingSince: Date; lastError: string };
  /** All amounts with their currency. */
  order_placed: {
    number: string;
    lines: readonly { name: string; quantity: number; total: string }[];
    total: string;
    url: string;
  };
  order_status_changed: { number: string; status: string; url: string };
};

type OtherMail = {
  [T in keyof OtherMailData]: {
    template: T;
    to: Recipient;
    data: OtherMailData[T];
    attachments?: readonly Attachment[];
  };
}[keyof OtherMailData];

/**
 * A file in the blob store that goes along; several messages may share it. One whose key begins with `mails/` is removed
 * with the last of them; any other is somebody else's.
 */
export type Attachment = { fileName: string; contentType: string; blobKey: string; bytes: number };

export type Mail = AccountMail | OtherMail;
export type MailTemplate = Mail['template'];
export type MailData<T extends MailTemplate> = Extract<Mail, { template: T }>['data'];
