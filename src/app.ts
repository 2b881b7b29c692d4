import { readFileSync } from 'node:fs';
import { describeApi, registerDocs } from './kernel/http/docs.ts';
import { registerHealthRoutes } from './kernel/http/health.ts';
import { createHttp, type Http } from './kernel/http/index.ts';
import type { Job } from './kernel/jobs.ts';
import type { Kernel } from './kernel/kernel.ts';
import { type Catalogue, createCatalogue } from './modules/catalogue/index.ts';
import { registerCatalogueRoutes } from './modules/catalogue/routes.ts';
import { createImports, type Imports } from './modules/imports/index.ts';
import { registerImportRoutes } from './modules/imports/routes.ts';
import { errorPage, registerStorefront } from './storefront/index.ts';

/** The composition root: every module of the shop, by name, and what they hand one another. */
export type App = {
  readonly catalogue: Catalogue;
  readonly imports: Imports;
  readonly jobs: readonly Job<never>[];
};

export const VERSION = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

export function createApp(kernel: Kernel): App {
  const catalogue = createCatalogue(kernel);
  const imports = createImports(kernel);
  return { catalogue, imports, jobs: [...kernel.events.jobs, ...imports.jobs] };
}

/** The shop's HTTP side, ready to listen. `publicUrl` is how the world calls it. */
export async function createWeb(kernel: Kernel, app: App, publicUrl: string): Promise<Http> {
  const { config, cache, log, db } = kernel;
  const http = await createHttp({ config, cache, log, errorPage: errorPage(config.SHOP_NAME) });
  await describeApi(http, { name: config.SHOP_NAME, version: VERSION });
  // Plugins such as the API description see the routes that are registered after they have loaded.
  await http.register(async () => {
    registerHealthRoutes(http, db);
    registerCatalogueRoutes(http, app.catalogue);
    registerImportRoutes(http, app.catalogue, { name: config.SHOP_NAME, url: publicUrl, currency: config.CURRENCY });
    registerStorefront(http, { catalogue: app.catalogue, config, publicUrl });
    await registerDocs(http);
  });
  await http.ready();
  return http;
}
