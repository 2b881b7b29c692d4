import { defineJob, enqueue, type Job } from '../../../kernel/jobs.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import { createLimited, type Limited } from '../../../kernel/limited.ts';
import type { Editing } from './edit-images.ts';
import { linkImages } from './feed-links.ts';
import { fetchImages } from './fetch-images.ts';
import { createRenderer } from './render.ts';
import { removeUnusedImages } from './storage.ts';

/** Stored images: what people upload and what feeds link to. Its use cases take this as their first argument. */
export type Images = Editing & {
  /** Where an upload finds its place before its first byte is read; throws busy when there is none. */
  readonly uploads: Limited;
  readonly jobs: readonly Job<never>[];
};

/** Each holds a file of up to 20 MB in memory until it is its turn to be worked on. */
const UPLOADS_AT_ONCE = 12;

export function createImages(kernel: Pick<Kernel, 'db' | 'events' | 'clock' | 'blobs' | 'outbound'>): Images {
  const shop = { ...kernel, render: createRenderer() };
  const fetch = defineJob({
    name: 'images.fetch',
    cron: '* * * * *',
    run: (_: object, { signal }) => fetchImages(shop, { signal }),
  });
  const link = defineJob<{ import_id: string }>({
    name: 'images.link',
    async run({ import_id }, { signal }) {
      await linkImages(kernel, import_id, signal);
      await enqueue(kernel.db, fetch, [{}]);
    },
  });
  const removeUnused = defineJob({
    name: 'images.remove_unused',
    cron: '* * * * *',
    run: () => removeUnusedImages(kernel),
  });
  kernel.events.subscribe({
    name: 'catalogue.image_links',
    types: ['import.merged'],
    handle: (tx, event) => enqueue(tx, link, [{ import_id: event.subject_id }]),
  });
  return { ...shop, uploads: createLimited(UPLOADS_AT_ONCE, 0), jobs: [fetch, link, removeUnused] };
}
