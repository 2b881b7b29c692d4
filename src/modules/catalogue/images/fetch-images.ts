import { buffer } from 'node:stream/consumers';
import { sql, type Tx } from '../../../kernel/db.ts';
import { AppError } from '../../../kernel/errors.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import { insertImage, type ProductNames, settleImages } from './product-images.ts';
import { MAX_IMAGE_BYTES, type Render } from './render.ts';
import { storeImage } from './storage.ts';

/**
 * Fetches what feeds link to. A row of image_fetches goes
 *
 *   queued → done       its image stands among the product's
 *   queued → queued     it failed in a way that may pass: again after a pause, six tries in all
 *   queued → failed     it failed for good, or too often
 *   done → removed      people deleted the image (edit-images.ts)
 *
 * and is deleted when the feed no longer names it (feed-links.ts). Whoever works on a row has leased it; a process that
 * dies just lets the lease run out, and the row is taken again. Rows are claimed by one process at a time, which counts
 * the leases of all, so that the limits hold across processes: a foreign host sees no more of us for our having more
 * workers. What is fetched is shown in a transaction that looks once more whether it is still wanted.
 */

type Fetching = Pick<Kernel, 'db' | 'events' | 'clock' | 'blobs' | 'outbound'> & { render: Render };

type Claimed = { product_id: string; url: string; attempts: number };

const AT_ONCE = 6;
const AT_ONCE_PER_HOST = 2;
const TIMEOUT_MS = 30_000;
/** Longer than a fetch with its rendering takes. */
const LEASE_MS = 180_000;
const TRIES = 6;
const FIRST_PAUSE_MS = 60_000;
/** One minute, five, … ten hours: an outage of half a day is outlived. */
const PAUSE_GROWTH = 5;
/** A job that runs on and on would be taken for dead by the job queue. */
const RUN_MS = 30 * 60_000;

const CLAIM_LOCK = 0x696d6766;

/**
 * A few steps in the index for each host that has anything queued, since hosts are few and their rows may be millions:
 * 1 ms for 300,000 rows of two hosts. Rows that an import is just linking anew are passed by.
 */
const CLAIM = `
  with recursive hosts as (
    (select host from image_fetches where state = 'queued' order by host limit 1)
    union all
    select (select f.host from image_fetches f where f.state = 'queued' and f.host > h.host order by f.host limit 1)
    from hosts h where h.host is not null
  ),
  leased as materialized (
    select host, count(*) as n from image_fetches where state = 'queued' and leased_until > $1 group by host
  ),
  due as (
    select d.product_id, d.url
    from hosts h
    left join leased l on l.host = h.host
    cross join lateral (
      select f.product_id, f.url, f.next_at from image_fetches f
      where f.state = 'queued' and f.host = h.host and f.next_at <= $1
      order by f.next_at
      limit greatest(0, ${AT_ONCE_PER_HOST} - coalesce(l.n, 0))
    ) d
    where h.host is not null
    order by d.next_at
    limit greatest(0, ${AT_ONCE} - (select coalesce(sum(n), 0) from leased))
  ),
  free as (
    select f.product_id, f.url from image_fetches f join due on due.product_id = f.product_id and due.url = f.url
    where f.state = 'queued'
    for update of f skip locked
  )
  update image_fetches f set leased_until = $2, next_at = $2, attempts = f.attempts + 1
  from free where f.product_id = free.product_id and f.url = free.url
  returning f.product_id, f.url, f.attempts`;

/** Works through what is due until nothing more can be taken. */
export async function fetchImages(
  shop: Fetching,
  { signal, timeoutMs = TIMEOUT_MS }: { signal: AbortSignal; timeoutMs?: number },
): Promise<void> {
  const running = new Set<Promise<void>>();
  const until = shop.clock.now().getTime() + RUN_MS;
  try {
    while (!signal.aborted && shop.clock.now().getTime() < until) {
      for (const row of await claim(shop)) {
        const work = fetchOne(shop, row, signal, timeoutMs).finally(() => running.delete(work));
        running.add(work);
      }
      if (running.size === 0) return;
      await Promise.race(running);
    }
  } finally {
    await Promise.allSettled(running);
  }
}

function claim({ db, clock }: Fetching): Promise<Claimed[]> {
  return db.transaction(async (tx) => {
    await tx.run(sql('select pg_advisory_xact_lock($1)', [CLAIM_LOCK]));
    const now = clock.now();
    return tx.many(sql<Claimed>(CLAIM, [now, new Date(now.getTime() + LEASE_MS)]));
  });
}

async function fetchOne(shop: Fetching, row: Claimed, signal: AbortSignal, timeoutMs: number): Promise<void> {
  // Whoever had it never came back, again and again: it may be what ends them.
  if (row.attempts > TRIES) return noteFailure(shop, row, { code: 'interrupted', isFinal: true });
  try {
    const rendered = await shop.render(await download(shop, row.url, signal, timeoutMs));
    await storeImage(shop, rendered, (tx, image) => show(tx, shop, row, image));
  } catch (error) {
    if (error instanceof NotWanted) return;
    await noteFailure(shop, row, signal.aborted ? null : faultOf(error));
  }
}

class NotWanted extends Error {}

/** The server answered, but not with an image. */
class Refused extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`http_${status}`);
    this.status = status;
  }
}

async function download({ outbound }: Fetching, url: string, signal: AbortSignal, timeoutMs: number): Promise<Buffer> {
  const answer = await outbound.get(url, { maxBytes: MAX_IMAGE_BYTES, timeoutMs, accept: 'image/*', signal });
  if (answer.status === 200) return buffer(answer.body);
  answer.body.destroy();
  throw new Refused(answer.status);
}

/** Throws NotWanted when the feed has dropped the link meanwhile, or another process was quicker. */
async function show(
  tx: Tx,
  { events, clock }: Fetching,
  { product_id, url }: Claimed,
  image: Parameters<typeof insertImage>[2],
): Promise<void> {
  const product = await tx.maybe(
    sql<ProductNames>('select sku, slug, name from products where id = $1 for no key update', [product_id]),
  );
  const wanted = await tx.maybe(
    sql<{ position: number }>(
      `update image_fetches set state = 'done', leased_until = null, last_error = null
       where product_id = $1 and url = $2 and state = 'queued' returning position`,
      [product_id, url],
    ),
  );
  if (!wanted) throw new NotWanted();
  const at = clock.now();
  const added = await insertImage(tx, product_id, image, { alt: '', source: { url, position: wanted.position }, at });
  const changes = await settleImages(tx, product_id, at);
  await events.append(tx, {
    type: 'image.added',
    subject: { type: 'product', id: product_id },
    changes,
    data: { image_id: added.id, position: added.position, ...product },
  });
}

type Fault = { code: string; isFinal: boolean };

function faultOf(error: unknown): Fault {
  if (error instanceof Refused) {
    const { status } = error;
    return { code: error.message, isFinal: status < 500 && status !== 408 && status !== 429 };
  }
  // A name that cannot be resolved now may be resolved later.
  if (error instanceof AppError)
    return { code: error.code, isFinal: error.status < 500 && error.code !== 'address_not_found' };
  return { code: 'failed', isFinal: false };
}

/** Null for what was only interrupted: that was no try. */
async function noteFailure({ db, clock }: Fetching, row: Claimed, fault: Fault | null): Promise<void> {
  const isOver = fault !== null && (fault.isFinal || row.attempts >= TRIES);
  const pause = fault === null ? 0 : FIRST_PAUSE_MS * PAUSE_GROWTH ** (row.attempts - 1) * (0.8 + 0.4 * Math.random());
  await db.run(
    sql(
      `update image_fetches set state = $3, attempts = $4, next_at = $5, leased_until = null, last_error = $6
       where product_id = $1 and url = $2 and state = 'queued' and attempts = $7`,
      [
        row.product_id,
        row.url,
        isOver ? 'failed' : 'queued',
        fault === null ? row.attempts - 1 : row.attempts,
        new Date(clock.now().getTime() + pause),
        fault?.code ?? null,
        row.attempts,
      ],
    ),
  );
}
