import { readFileSync } from 'node:fs';
import type { FastifyRequest } from 'fastify';
import { describeApi, registerDocs } from './kernel/http/docs.ts';
import { registerHealthRoutes } from './kernel/http/health.ts';
import { createHttp, type Http } from './kernel/http/index.ts';
import { defineTidyJob, type Job } from './kernel/jobs.ts';
import type { Kernel } from './kernel/kernel.ts';
import { type Accounts, createAccounts } from './modules/accounts/index.ts';
import { registerAccountRoutes } from './modules/accounts/routes.ts';
import { registerCategoryRoutes } from './modules/catalogue/category-routes.ts';
import { createImages, type Images } from './modules/catalogue/images/index.ts';
import { registerImageRoutes } from './modules/catalogue/images/routes.ts';
import {
  type Catalogue,
  createCatalogue,
  fallenByImport,
  importChanges,
  namesOfCategory,
  namesOfProducts,
} from './modules/catalogue/index.ts';
import { registerCatalogueRoutes } from './modules/catalogue/routes.ts';
import { registerProductWriteRoutes } from './modules/catalogue/write-routes.ts';
import { createImports, type Imports, readOutcomes, watchProgress } from './modules/imports/index.ts';
import { registerImportRoutes } from './modules/imports/routes.ts';
import { registerJobRoutes } from './modules/jobs/routes.ts';
import { createNotifications, type Mailbox } from './modules/notifications/index.ts';
import { registerNotificationRoutes } from './modules/notifications/routes.ts';
import { subscribeMails } from './modules/notifications/subscribers.ts';
import { createWebhooks, type Webhooks } from './modules/notifications/webhooks/index.ts';
import { registerWebhookRoutes } from './modules/notifications/webhooks/routes.ts';
import { registerCartRoutes } from './modules/orders/cart-routes.ts';
import { createOrders, forgetCustomer, linesOfOrder, type Orders } from './modules/orders/index.ts';
import { registerOrderRoutes } from './modules/orders/order-routes.ts';
import { createRealtime, type Realtime } from './modules/realtime/index.ts';
import { registerRealtimeRoutes } from './modules/realtime/routes.ts';
import { errorPage, registerStorefront } from './storefront/index.ts';

/** The composition root: every module of the shop, by name, and what they hand one another. */
export type App = {
  readonly accounts: Accounts;
  readonly catalogue: Catalogue;
  readonly images: Images;
  readonly imports: Imports;
  readonly orders: Orders;
  readonly realtime: Realtime;
  readonly webhooks: Webhooks;
  readonly mailbox: Mailbox;
  readonly jobs: readonly Job<never>[];
  /** How the world calls the shop, without a slash at the end. */
  readonly publicUrl: string;
  /** Begins what must run for as long as the app answers. */
  start(): Promise<void>;
  stop(): Promise<void>;
};

export const VERSION = (
  JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
).version;

export function createApp(kernel: Kernel, publicUrl: string): App {
  const notifications = createNotifications(kernel, { publicUrl });
  const orders = createOrders(kernel, { publicUrl });
  const accounts = createAccounts(kernel, {
    ...notifications,
    publicUrl,
    loggedIn: orders.adoptCart,
    loggedOut: (reply) => orders.cartTokens.showCount(reply, 0),
    async forget(tx, userId) {
      await notifications.forgetMails(tx, userId);
      await forgetCustomer(tx, userId);
    },
  });
  const catalogue = createCatalogue(kernel);
  const images = createImages(kernel);
  const imports = createImports(kernel, { publicUrl });
  const webhooks = createWebhooks(kernel, notifications);
  const realtime = createRealtime(kernel, accounts, {
    importChanges: (id, range) => importChanges(kernel.db, id, range),
  });
  const progress = watchProgress(kernel, { isAsked: realtime.isAsked, tell: realtime.tell });
  const mails = subscribeMails(kernel, notifications, {
    publicUrl,
    categoryNames: namesOfCategory,
    importOutcomes: readOutcomes,
    fallenByImport,
    namesOfProducts,
    linesOfOrder,
  });
  return {
    accounts,
    catalogue,
    images,
    imports,
    orders,
    realtime,
    webhooks,
    mailbox: notifications.mailbox,
    jobs: [
      defineTidyJob(kernel.db),
      ...[kernel.events, kernel.idempotency, accounts, images, imports, orders, notifications, mails, webhooks].flatMap(
        ({ jobs }) => jobs,
      ),
    ],
    publicUrl,
    async start() {
      await accounts.start();
      await realtime.start();
    },
    async stop() {
      progress.stop();
      await realtime.stop();
      accounts.stop();
      await notifications.stop();
    },
  };
}

/** The shop's HTTP side, ready to listen. */
export async function createWeb(kernel: Kernel, app: App): Promise<Http> {
  const { config, cache, log, db } = kernel;
  const { accounts, publicUrl } = app;
  const http = await createHttp({
    config,
    cache,
    log,
    errorPage: errorPage(config.SHOP_NAME),
    credentialsHold: accounts.identify.holdsNow,
    keys: {
      claim: kernel.idempotency.claim,
      callerOf: (request) => callerOf(app, request),
      // Log-ins answer tokens, and a visit has no caller to speak of.
      takesKey: (url) => !/^\/api\/(auth|visits)(\/|$)/.test(url),
    },
  });
  await describeApi(http, { name: config.SHOP_NAME, version: VERSION });
  // Plugins such as the API description see the routes that are registered after they have loaded.
  await http.register(async () => {
    accounts.guard(http);
    registerHealthRoutes(http, db);
    registerAccountRoutes(http, accounts);
    registerNotificationRoutes(http, app.mailbox);
    registerCatalogueRoutes(http, app.catalogue);
    registerImageRoutes(http, app.images, app.catalogue);
    registerProductWriteRoutes(http, kernel, app.catalogue);
    registerCategoryRoutes(http, app.catalogue, kernel);
    registerImportRoutes(http, app.imports, app.catalogue, {
      name: config.SHOP_NAME,
      url: publicUrl,
      currency: config.CURRENCY,
    });
    registerCartRoutes(http, app.orders);
    registerOrderRoutes(http, app.orders);
    registerJobRoutes(http, kernel);
    registerWebhookRoutes(http, app.webhooks);
    await registerRealtimeRoutes(http, app.realtime);
    registerStorefront(http, {
      catalogue: app.catalogue,
      accounts,
      mailbox: app.mailbox,
      orders: app.orders,
      idempotency: kernel.idempotency,
      config,
      publicUrl,
    });
    await registerDocs(http);
  });
  await http.ready();
  return http;
}

/** Whose an idempotency key is; null for a guest who has no cart yet. */
function callerOf({ orders }: Pick<App, 'orders'>, request: FastifyRequest): string | null {
  const { identity } = request;
  if (identity) return identity.apiKeyId === null ? `user:${identity.userId}` : `key:${identity.apiKeyId}`;
  const cartId = orders.cartTokens.read(request);
  return cartId === null ? null : `cart:${cartId}`;
}
