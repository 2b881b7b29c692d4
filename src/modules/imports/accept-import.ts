import { newId } from '../../kernel/ids.ts';
import { enqueue } from '../../kernel/jobs.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { feedKey } from './fetch-feed.ts';
import { findImport, type Import } from './list-imports.ts';
import type { RunJob } from './run-queued.ts';
import type { ImportFromUrl } from './schemas.ts';
import { insertImport, type NewImport } from './store.ts';
import type { Uploaded } from './upload.ts';

type Deps = Pick<Kernel, 'db' | 'events' | 'blobs' | 'outbound' | 'clock'> & { runJob: RunJob };

/**
 * Queues the import of a feed that `receive` stores under the key it is given; both or neither, also when it refuses what it
 * has stored.
 */
export async function acceptUpload(
  deps: Deps,
  actorId: string,
  receive: (key: string) => Promise<Uploaded>,
): Promise<Import> {
  const id = newId();
  const blobKey = feedKey(id);
  try {
    const { mode, fileName, bytes, sha256 } = await receive(blobKey);
    return await queue(deps, { id, mode, fileName, sizeBytes: bytes, sha256, blobKey, createdBy: actorId });
  } catch (error) {
    await deps.blobs.remove([blobKey]);
    throw error;
  }
}

/** Queues the import of a feed by its address. Throws address_not_allowed, address_not_found. */
export async function acceptUrl(deps: Deps, actorId: string, { url, mode = 'create' }: ImportFromUrl): Promise<Import> {
  await deps.outbound.check(url);
  const { hostname, pathname } = new URL(url);
  const fileName = pathname.split('/').at(-1) || hostname;
  return queue(deps, { id: newId(), mode, fileName, sourceUrl: url, createdBy: actorId });
}

async function queue(
  { db, events, clock, runJob }: Deps,
  row: Omit<NewImport, 'status' | 'at'> & { createdBy: string },
): Promise<Import> {
  const { id, mode, fileName, createdBy } = row;
  const queued = await db.transaction(async (tx) => {
    await insertImport(tx, { ...row, status: 'queued', at: clock.now() });
    // Its address may hold a password, so the event does without.
    await events.append(tx, {
      type: 'import.queued',
      subject: { type: 'import', id },
      actorId: createdBy,
      data: { file_name: fileName, mode },
    });
    await enqueue(tx, runJob, [{ id }]);
    return findImport(tx, id);
  });
  await events.flush();
  return queued;
}
