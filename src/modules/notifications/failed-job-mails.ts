import type { Tx } from '../../kernel/db.ts';
import type { FailedJob } from '../../kernel/jobs.ts';
import { staffWanting } from '../accounts/index.ts';
import type { Notifications } from './index.ts';

/** What a message lists; it says how many more there are. */
const LISTED = 20;
const LONGEST_ERROR = 300;
/** What is looked at of an error, which may hold a page that a foreign host sent. */
const LOOKED_AT = 1_000;

/** Messages about these would be messages about messages, each bringing about the next. */
const UNTOLD: readonly string[] = ['mail.send', 'jobs.tell_failures'];

/** Tells the staff who want to know of jobs that were given up: of all of them in one message. */
export async function tellFailedJobs(
  { sendMail }: Pick<Notifications, 'sendMail'>,
  tx: Tx,
  jobs: readonly FailedJob[],
): Promise<void> {
  const told = jobs.filter(({ task }) => !UNTOLD.includes(task));
  if (told.length === 0) return;
  const data = {
    jobs: told.slice(0, LISTED).map(({ lastError, ...job }) => ({ ...job, error: fitToTell(lastError) })),
    total: told.length,
  };
  for (const to of await staffWanting(tx, 'failed_jobs')) await sendMail(tx, { template: 'job_failed', to, data });
}

/**
 * The first line of an error without what nobody is to read in a mailbox: credentials, parameters of URLs, people's
 * addresses.
 */
export function fitToTell(error: string | null): string {
  if (error === null) return 'The process that worked on it ended.';
  const [first = ''] = error.slice(0, LOOKED_AT).trim().split('\n', 1);
  const text = first
    .replace(/(\b[a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/@]*@/gi, '$1…@')
    .replace(/(\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s?#]*)[?#]\S*/gi, '$1?…')
    .replace(
      /\b((?:bearer|basic)\s+|[\w-]{0,40}(?:pass|password|secret|token|key|signature)["']?\s*[=:]\s*)\S+/gi,
      '$1…',
    )
    .replace(/[^\s@<>"'(),;:/…]+@[^\s@<>"'(),;:/]+\.[^\s@<>"'(),;:/]+/g, '…@…');
  return text.length <= LONGEST_ERROR ? text : `${text.slice(0, LONGEST_ERROR - 1)}…`;
}
