import Type from 'typebox';
import type { Http } from '../../../kernel/http/index.ts';
import { PAGING, PageOf } from '../../../kernel/paging.ts';
import { allow, identityOf } from '../../accounts/index.ts';
import { changeEndpoint } from './change-endpoint.ts';
import { createEndpoint, MOST_ENDPOINTS } from './create-endpoint.ts';
import { deleteEndpoint } from './delete-endpoint.ts';
import { listDeliveries, retryDelivery } from './deliveries.ts';
import { listEndpoints, readEndpoint } from './endpoints.ts';
import type { Webhooks } from './index.ts';
import {
  ChangedWebhook,
  Delivery,
  DeliveryQuery,
  IdParam,
  MadeWebhook,
  NewWebhook,
  Webhook,
  WebhookChange,
} from './schemas.ts';

const NO_STORE = { 'cache-control': 'no-store' };

/** Webhooks and their deliveries, for superusers. */
export function registerWebhookRoutes(app: Http, webhooks: Webhooks): void {
  const tags = ['Webhooks'];
  const mayRead = allow('superuser', 'webhooks:read');
  const mayWrite = allow('superuser', 'webhooks:write');

  app.get(
    '/api/webhooks',
    {
      schema: {
        summary: 'List webhooks, the newest first',
        tags,
        querystring: Type.Object(PAGING, { additionalProperties: false }),
        response: { 200: PageOf(Webhook) },
      },
      config: mayRead,
    },
    async (request, reply) => reply.headers(NO_STORE).send(await listEndpoints(webhooks, request.query)),
  );

  app.post(
    '/api/webhooks',
    {
      schema: {
        summary: 'Make a webhook',
        description:
          'Events that happen from then on are sent to `url`, signed as Standard Webhooks has it, at least once. Without ' +
          `\`types\` it gets every one. The secret is in this answer and in no other. At most ${MOST_ENDPOINTS} webhooks.`,
        tags,
        body: NewWebhook,
        response: { 201: MadeWebhook },
      },
      config: mayWrite,
    },
    async (request, reply) => {
      const made = await createEndpoint(webhooks, identityOf(request).userId, request.body);
      return reply
        .code(201)
        .headers({ ...NO_STORE, location: `/api/webhooks/${made.id}` })
        .send(made);
    },
  );

  app.get(
    '/api/webhooks/:id',
    {
      schema: { summary: 'A webhook, and how it fares', tags, params: IdParam, response: { 200: Webhook } },
      config: mayRead,
    },
    async (request, reply) => reply.headers(NO_STORE).send(await readEndpoint(webhooks, request.params.id)),
  );

  app.patch(
    '/api/webhooks/:id',
    {
      schema: {
        summary: 'Change a webhook, switch it off or on, or give it a new secret',
        tags,
        params: IdParam,
        body: WebhookChange,
        response: { 200: ChangedWebhook },
      },
      config: mayWrite,
    },
    async (request, reply) =>
      reply
        .headers(NO_STORE)
        .send(await changeEndpoint(webhooks, identityOf(request).userId, request.params.id, request.body)),
  );

  app.delete(
    '/api/webhooks/:id',
    {
      schema: {
        summary: 'Delete a webhook with its deliveries',
        tags,
        params: IdParam,
        response: { 204: Type.Null({ description: 'Done.' }) },
      },
      config: mayWrite,
    },
    async (request, reply) => {
      await deleteEndpoint(webhooks, identityOf(request).userId, request.params.id);
      return reply.code(204).send(null);
    },
  );

  app.get(
    '/api/webhooks/:id/deliveries',
    {
      schema: {
        summary: 'What was sent to a webhook, and what waits, the newest first',
        description: 'Deliveries are kept for 30 days.',
        tags,
        params: IdParam,
        querystring: DeliveryQuery,
        response: { 200: PageOf(Delivery) },
      },
      config: mayRead,
    },
    async (request, reply) =>
      reply.headers(NO_STORE).send(await listDeliveries(webhooks, request.params.id, request.query)),
  );

  app.post(
    '/api/webhook-deliveries/:id/retry',
    {
      schema: {
        summary: 'Send a delivery again',
        description:
          'As soon as can be, under the same `webhook-id`; whether it has failed, waits or was delivered before.',
        tags,
        params: IdParam,
        response: { 202: Delivery },
      },
      config: mayWrite,
    },
    async (request, reply) => {
      const delivery = await retryDelivery(webhooks, identityOf(request).userId, request.params.id);
      return reply.code(202).headers(NO_STORE).send(delivery);
    },
  );
}
