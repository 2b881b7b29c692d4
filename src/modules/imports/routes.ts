import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { chooseEncoding } from '../../kernel/http/encoding.ts';
import type { Http } from '../../kernel/http/index.ts';
import { API_HEADERS } from '../../kernel/http/index.ts';
import type { Catalogue } from '../catalogue/index.ts';
import { writeGoogleFeed } from './export-feed.ts';

export function registerImportRoutes(
  app: Http,
  catalogue: Catalogue,
  shop: { name: string; url: string; currency: string },
): void {
  app.get('/feeds/google.xml', (request, reply) => {
    const feed = Readable.from(writeGoogleFeed(catalogue, shop));
    reply
      .headers(API_HEADERS)
      .header('content-type', 'application/xml; charset=utf-8')
      .header('vary', 'accept-encoding');
    // Read by machines that nearly all take gzip, and too large to be kept: compressed as it goes.
    if (chooseEncoding(request.headers['accept-encoding']) === 'identity') return reply.send(feed);
    const packed = createGzip();
    feed.on('error', (error) => packed.destroy(error));
    return reply.header('content-encoding', 'gzip').send(feed.pipe(packed));
  });
}
