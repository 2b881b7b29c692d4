import type { AccountMail, Recipient } from '../accounts/index.ts';

/** Every message that the shop writes, by its template, with what the template fills in. */

/** Of a product that was created or changed, as a person reads it. */
export type ProductChange = {
  action: 'created' | 'updated';
  name: string;
  sku: string;
  url: string;
  changes: readonly { field: string; from: string; to: string }[];
  at: Date;
};

type OtherMailData = {
  /** One product, or a digest of the further ones that `actor` touched within five minutes. */
  product_changed: { actor: string | null; change: ProductChange };
  products_digest: { actor: string | null; changes: readonly ProductChange[]; total: number };
  import_finished: {
    fileName: string;
    counts: Readonly<Record<'read' | 'created' | 'updated' | 'unchanged' | 'existing' | 'rejected', number>>;
    outcomes: readonly { sku: string | null; line: number | null; outcome: string; message: string }[];
    totalOutcomes: number;
    /** Where the import and all its outcomes can be looked at. */
    url: string;
    csvUrl: string;
    isAttached: boolean;
  };
  import_failed: { fileName: string; reason: string; line: number | null; column: number | null; url: string };
  low_stock: { name: string; sku: string; stock: number; threshold: number; url: string };
  job_failed: { jobs: readonly { id: string; task: string; attempts: number; error: string }[]; total: number };
  webhook_disabled: { url: string; failingSince: Date; lastError: string };
  order_placed: { number: string; total: string | null; url: string };
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

/** A file in the blob store that goes along; several messages may share it. */
export type Attachment = { fileName: string; contentType: string; blobKey: string; bytes: number };

export type Mail = AccountMail | OtherMail;
export type MailTemplate = Mail['template'];
export type MailData<T extends MailTemplate> = Extract<Mail, { template: T }>['data'];
